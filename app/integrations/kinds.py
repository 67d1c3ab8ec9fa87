"""The job that a message of another OpenQI asks for."""

from app.jobs.kinds import Kind

# A pull waits for another server; messages that come meanwhile are told of by the next one.
PULL = Kind("integration.pull", queue="heavy", lane_cap=1, lease_seconds=120.0, coalesces=True)
