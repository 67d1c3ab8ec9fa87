"""Rule sets: what they are, side by side on one series, and many series judged at once."""
