"""The job that a message of another OpenQI asks for."""

from app.jobs.kinds import Kind

# It waits for another server, so it has a queue of its own. Messages that come while it runs are
# told of by the next one.
PULL = Kind("integration.pull", queue="pull", lane_cap=1, coalesces=True)
