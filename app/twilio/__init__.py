"""Twilio's wire: media frames, TwiML, signatures, REST."""
