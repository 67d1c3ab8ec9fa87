"""The sessions of a programme and their register."""
