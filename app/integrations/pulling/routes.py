"""The route that asks for a fetch from another OpenQI."""

import uuid

from app.access.dependencies import CurrentActor
from app.integrations.pulling import actions
from app.integrations.pulling.actions import NotPullable
from app.integrations.pulling.schemas import PullCreate, PullRead
from app.kit.dependencies import Now, WriteSession
from app.kit.errors import Archived
from app.kit.openapi import problems
from app.kit.routing import Router

router = Router(tags=["sharing"])


@router.post(
    "/integrations/{integration_id}/pulls",
    status_code=202,
    summary="Fetch shared projects from another server",
    responses=problems(Archived, NotPullable),
)
def create_pull(
    integration_id: uuid.UUID,
    data: PullCreate,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
) -> PullRead:
    """One project, or all that the other OpenQI shares with the token of the connection.

    It is done in the background. What it brings is read-only here and says where it came from in
    `provenance`; what is shared there no longer is archived here.
    """
    return actions.create_pull(
        session, actor=actor, integration_id=integration_id, data=data, now=now
    )
