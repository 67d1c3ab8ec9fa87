"""Signals of a measure's chart, remembered, so that a new or a lost one becomes an event."""
