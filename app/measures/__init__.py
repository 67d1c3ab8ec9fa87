"""Measures and their data points."""
