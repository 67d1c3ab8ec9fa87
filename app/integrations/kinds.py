"""Kinds of jobs of connections to other platforms."""

from app.jobs.kinds import Kind

PULL = Kind("integration.pull", queue="heavy", coalesces=True, lane_cap=1)
