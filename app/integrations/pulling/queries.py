"""Reads of what a fetch needs: the connection, its owner, what came from there before."""

import uuid
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.access.actor import Actor, Grant
from app.access.models import Membership
from app.access.queries import holds_on
from app.identity.models import User
from app.integrations.models import Integration, IntegrationState, Platform
from app.sharing.models import ReceivedProject

_ORIGIN_LENGTH = 200  # of the column of events


def can_fetch(integration: Integration) -> bool:
    """Whether it is live, and another OpenQI that says where it is reached."""
    return (
        integration.archived_at is None
        and integration.state is IntegrationState.ENABLED
        and integration.platform is Platform.OPENQI
        and integration.base_url is not None
    )


def source_of(integration: Integration) -> str:
    """The address of the other server, as its projects and their events name it here."""
    return (integration.base_url or "").rstrip("/")


def find_integrations(session: Session, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Integration]:
    """Connections that can fetch, by id."""
    rows = session.exec(select(Integration).where(col(Integration.id).in_(ids)))
    return {row.id: row for row in rows if can_fetch(row)}


def lock_integration(session: Session, integration_id: uuid.UUID) -> Integration | None:
    """The connection, if it can fetch; what two fetches of it bring is stored one by one."""
    statement = select(Integration).where(Integration.id == integration_id).with_for_update()
    row = session.exec(statement).one_or_none()
    return row if row is not None and can_fetch(row) else None


def list_received(
    session: Session, integration_ids: Collection[uuid.UUID]
) -> dict[tuple[uuid.UUID, uuid.UUID], ReceivedProject]:
    """What came through these connections, by connection and by its id on the other server."""
    statement = select(ReceivedProject).where(
        col(ReceivedProject.integration_id).in_(integration_ids)
    )
    return {(row.integration_id, row.source_project_id): row for row in session.exec(statement)}


def find_received(
    session: Session, *, integration_id: uuid.UUID, source_project_id: uuid.UUID
) -> ReceivedProject | None:
    """The project here that stands for one of the other server."""
    statement = select(ReceivedProject).where(
        ReceivedProject.integration_id == integration_id,
        ReceivedProject.source_project_id == source_project_id,
    )
    return session.exec(statement).one_or_none()


def actor_of(integration: Integration) -> Actor:
    """Whom its changes are said to come from, without any role."""
    return Actor(
        user_id=integration.owner_id,
        email="",
        display_name="",
        grants=(),
        bound_programme_id=integration.programme_id,
        source=source_of(integration)[:_ORIGIN_LENGTH],
    )


def find_owner(session: Session, integration: Integration, *, now: datetime) -> Actor | None:
    """The owner with the roles of today, in this programme alone, for the other server.

    None where the owner may no longer log in.
    """
    held = sa.and_(col(Membership.user_id) == col(User.id), holds_on(now.date()))
    statement = (
        sa.select(
            col(User.email),
            col(User.display_name),
            col(Membership.role),
            col(Membership.programme_id),
            col(Membership.team_id),
        )
        .select_from(User)
        .outerjoin(Membership, held)
        .where(col(User.id) == integration.owner_id, col(User.disabled_at).is_(None))
    )
    rows = session.execute(statement).all()
    if not rows:
        return None
    scopes = integration.scopes
    return replace(
        actor_of(integration),
        email=rows[0].email,
        display_name=rows[0].display_name,
        grants=tuple(Grant(*row[2:]) for row in rows if row.role is not None),
        scopes=None if scopes is None else frozenset(scopes),
    )
