"""Pre-rendered phone audio: what the sandbox's callers and its agent can say."""
