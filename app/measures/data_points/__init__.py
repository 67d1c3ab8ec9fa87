"""The data points of measures: one by one, in bulk, and as files."""
