"""Data decoded once and kept on disk."""
