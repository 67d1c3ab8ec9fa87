"""Login sessions: where somebody is logged in, and ending that."""
