"""SPC-annotated series of stored and of sent data."""
