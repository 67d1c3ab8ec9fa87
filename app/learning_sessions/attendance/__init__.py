"""Attendance: the register of a session, and what it comes to."""
