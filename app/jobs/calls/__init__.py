"""What becomes of a call's folder and rows while it goes on and when it is over."""
