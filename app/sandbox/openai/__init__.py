"""An OpenAI to rehearse with: the realtime websocket and the transcription endpoint, strict as the real ones."""
