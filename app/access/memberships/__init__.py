"""Memberships: the only source of roles, from one day until before another."""
