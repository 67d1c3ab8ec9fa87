"""Improvement projects: charter, aim, state."""
