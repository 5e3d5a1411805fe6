"""What any speech-to-speech provider looks like to a call."""
