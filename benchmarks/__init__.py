"""What we promise in figures, measured. Run one with `python -m benchmarks.<name>`."""
