"""Durable jobs on the application's own database. Knows no noun of ours: handlers are handed in."""
