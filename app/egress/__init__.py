"""Which addresses we connect to when an operator names a URL, and the HTTP client that keeps to them."""
