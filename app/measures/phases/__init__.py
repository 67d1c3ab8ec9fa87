"""Phases of a measure: from which day its lines are taken anew, and who decided so."""
