"""What is left of a call that can be heard: where it is kept, how it is cut, and how its words are written."""
