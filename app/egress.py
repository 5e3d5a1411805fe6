"""Which addresses we connect to when an operator names a URL."""
