"""Messages from other platforms: verified, applied by the mapping, and logged."""
