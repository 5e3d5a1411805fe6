"""A caller who is put through, or for whom keys are pressed, and who comes back to the same call."""
