"""Mechanism that every package shares and that knows none of our nouns."""
