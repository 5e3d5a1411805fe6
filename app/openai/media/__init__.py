"""Sound files as the transcription takes them: what kind one is, and how long it plays. Nothing is decoded."""
