"""Reads of connections, and of whom they act for."""

import uuid
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from app.access.actor import Actor
from app.access.owners import find_owners
from app.access.permissions import Permission
from app.access.scope import get_visible, select_visible
from app.integrations.models import (
    InboundEvent,
    InboundOutcome,
    Integration,
    IntegrationState,
    Platform,
)
from app.integrations.schemas import IntegrationQuery
from app.kit.filters import archived_filter, one_of
from app.kit.pagination import Page, Pager, order_by

_SORTS: dict[str, Any] = {
    "name": Integration.name,
    "created_at": Integration.created_at,
    "updated_at": Integration.updated_at,
}


def get_integration(session: Session, *, actor: Actor, integration_id: uuid.UUID) -> Integration:
    """One connection. Raises `NotFound`."""
    return get_visible(
        session,
        actor=actor,
        entity=Integration,
        permission=Permission.INTEGRATION_READ,
        row_id=integration_id,
    )


def list_integrations(
    session: Session, *, actor: Actor, query: IntegrationQuery, pager: Pager
) -> Page[Integration]:
    """A page of connections, by name."""
    actor.require(Permission.INTEGRATION_READ)
    statement = select_visible(actor, Integration, Permission.INTEGRATION_READ).where(
        *archived_filter(Integration, query),
        *one_of(col(Integration.programme_id), query.programme_id),
        *one_of(col(Integration.platform), query.platform),
        *one_of(col(Integration.system), query.system),
        *one_of(col(Integration.state), query.state),
    )
    order = order_by(query.sort, _SORTS, default="name", last=Integration.id)
    return pager.page(session, statement, query=query, order=order)


def can_fetch(integration: Integration) -> bool:
    """Whether it is live, and another OpenQI that says where it is reached."""
    return (
        integration.archived_at is None
        and integration.state is IntegrationState.ENABLED
        and integration.platform is Platform.OPENQI
        and integration.base_url is not None
    )


def source_of(integration: Integration) -> str:
    """What its changes bear as `origin`: an OpenQI knows its own address, and so a loop."""
    if integration.platform is Platform.OPENQI and integration.base_url:
        return integration.base_url
    return integration.system


def list_awaited(session: Session, integration_id: uuid.UUID) -> list[uuid.UUID]:
    """The projects, by their ids over there, whose messages still wait for a fetch."""
    statement = (
        select(InboundEvent.subject)
        .where(
            InboundEvent.integration_id == integration_id,
            InboundEvent.outcome == InboundOutcome.PENDING,
            col(InboundEvent.subject).is_not(None),
        )
        .distinct()
    )
    return [uuid.UUID(subject) for subject in session.exec(statement) if subject]


def find_acting(
    session: Session, *, integration: Integration, now: datetime, request_id: str | None = None
) -> Actor | None:
    """Its owner with the roles of today, in its programme and within its scopes.

    None where the person may no longer log in, or the token that made it holds no more.
    """
    owner = find_owners(session, [integration], now=now).get(integration.id)
    return owner and replace(
        owner,
        bound_programme_id=integration.programme_id,
        request_id=request_id,
        source=source_of(integration),
    )
