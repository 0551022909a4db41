"""Scores: features extracted once, many numbers from them, a protocol beside every number."""
