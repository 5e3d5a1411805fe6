"""Calls that we place: who may be called when, how a request goes its way, and how its webhooks know it."""
