"""The game: one training loop for all families, one small file per family."""
