"""Scores as functions of arrays of features: no networks, no files."""
