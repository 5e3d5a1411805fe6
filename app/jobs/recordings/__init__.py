"""From a recording, ours or Twilio's, to its transcript."""
