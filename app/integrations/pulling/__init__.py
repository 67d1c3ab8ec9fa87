"""Projects that another OpenQI shares are fetched, kept as they are there, and read-only here."""
