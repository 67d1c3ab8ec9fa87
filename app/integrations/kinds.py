"""The job that fetches what another OpenQI shares, asked for by its messages or by a person."""

import uuid
from typing import Any

from app.jobs.actions import job_values
from app.jobs.kinds import Kind

# It waits for another server, so it has a queue of its own. Messages that come while it runs are
# told of by the next one.
PULL = Kind("integration.pull", queue="pull", lane_cap=1, coalesces=True)


def pull_lane(integration_id: uuid.UUID) -> str:
    """The lane of all fetches of a connection."""
    return f"integration:{integration_id.hex}"


def pull_job(
    *, integration_id: uuid.UUID, project_id: uuid.UUID | None, programme_id: uuid.UUID
) -> dict[str, Any]:
    """The columns of the job. project_id: that over there; None is for all that is shared there."""
    named = {"project_id": project_id.hex} if project_id else {}
    return job_values(
        PULL,
        {"integration_id": integration_id.hex, **named},
        key=f"pull:{integration_id.hex}:{project_id.hex if project_id else 'all'}",
        lane=pull_lane(integration_id),
        programme_id=programme_id,
    )
