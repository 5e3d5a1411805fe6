"""Every type of the OpenAI Realtime wire."""
