"""Numbers from arrays of features: no networks, no files."""
