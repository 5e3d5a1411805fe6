"""Work after the call."""
