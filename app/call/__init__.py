"""What a call is, whoever carries it and whoever talks."""
