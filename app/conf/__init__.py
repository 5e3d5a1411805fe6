"""What an operator sets: typed sections, encrypted secrets, the core_conf store."""
