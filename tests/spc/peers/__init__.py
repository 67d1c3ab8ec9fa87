"""The engine beside others from PyPI: seeded series, what each says of them, and known differences."""
