"""`parley backup` and `parley restore`: everything that a house needs to stand up elsewhere, in one file."""
