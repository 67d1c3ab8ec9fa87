"""States of programmes and projects: what looks at everything."""
