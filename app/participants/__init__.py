"""Who takes part: people, their appointments and enrolments."""
