"""Plan-Do-Study-Act cycles, their stages and gates."""
