"""Trained networks at work on latents and on a user's pictures."""
