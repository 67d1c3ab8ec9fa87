"""Annotations of a measure: what happened on a day, and which signals that explains."""
