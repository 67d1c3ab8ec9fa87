"""The engine beside others from PyPI: seeded series, what each says of them, what differs."""
