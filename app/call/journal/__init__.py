"""A call's folder: what happened in it, whose it is, and how it is read afterwards."""
