"""People who can log in, as administrators see them."""
