"""What a call costs, and what follows from that."""
