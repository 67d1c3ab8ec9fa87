"""Personal tokens: scoped, expiring, shown once, for integrations that act for one person."""
