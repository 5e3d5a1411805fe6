"""Every type of OpenAI's realtime wire that we read or write."""
