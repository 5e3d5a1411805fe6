"""What an agent may do beside talking."""
