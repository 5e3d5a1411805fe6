"""What the operator's servers are told."""
