"""Documents that an agent answers from: how they are read, cut into pieces, and asked."""
