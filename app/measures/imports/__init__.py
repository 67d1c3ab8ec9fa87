"""Imports: files of data points that are too large for one transaction, as long work."""
