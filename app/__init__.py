"""Parley: a phone number that answers with an AI agent."""
