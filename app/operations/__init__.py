"""Long work: an operation is asked for, runs as a job, and can be watched and cancelled."""
