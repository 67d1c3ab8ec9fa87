"""The list of jobs and of those that died, for administrators of the platform."""
