"""Seeded simulations whose results the application holds as tables; run by hand, not in service."""
