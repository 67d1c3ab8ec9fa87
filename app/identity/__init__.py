"""Who is calling: people who log in, their passwords, login sessions and tokens. Knows no roles."""
