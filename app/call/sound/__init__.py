"""What was spoken and heard, on one clock."""
