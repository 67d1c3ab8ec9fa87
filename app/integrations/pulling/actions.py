"""Asks for fetches from another OpenQI."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session

from app.access.actor import Actor
from app.access.permissions import Permission
from app.access.scope import get_visible, refuse_archived
from app.integrations.actions import ask_for_pulls
from app.integrations.models import Integration
from app.integrations.pulling.queries import list_received
from app.integrations.pulling.schemas import PullCreate, PullRead
from app.integrations.queries import can_fetch, list_awaited
from app.kit.errors import Conflict


class NotPullable(Conflict):
    """409: the request is right, but the connection has nothing to fetch from, or is paused."""

    code = "not_pullable"
    title = "Projects are fetched from another OpenQI, by its base_url, while not paused."


def ask_for_all_listed(
    session: Session, integration: Integration, listed: Iterable[uuid.UUID]
) -> None:
    """What is listed there, and what came from there before: that may be shared no longer.

    And what messages wait for, whatever became of the fetch that they asked for.
    """
    before = {theirs for _, theirs in list_received(session, [integration.id])}
    awaited = list_awaited(session, integration.id)
    ask_for_pulls(session, integration, {*listed, *before, *awaited})


def create_pull(
    session: Session, *, actor: Actor, integration_id: uuid.UUID, data: PullCreate, now: datetime
) -> PullRead:
    """Fetch now what webhooks would have told of."""
    integration = get_visible(
        session,
        actor=actor,
        entity=Integration,
        permission=Permission.INTEGRATION_READ,
        row_id=integration_id,
    )
    actor.require(Permission.INTEGRATION_WRITE, integration.place)
    refuse_archived(integration)
    if not can_fetch(integration):
        raise NotPullable
    ask_for_pulls(session, integration, [data.project_id])
    return PullRead(integration_id=integration.id, project_id=data.project_id, asked_at=now)
