"""A Twilio and an OpenAI to rehearse with."""
