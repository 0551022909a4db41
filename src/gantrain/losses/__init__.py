"""Losses: plain torch, one class per loss."""
