"""Organisations and the areas they work in."""
