"""Reads of what a fetch needs: the connection, its owner, what came from there before."""

import uuid
from collections.abc import Collection

from sqlmodel import Session, col, select

from app.access.actor import Actor
from app.integrations.kinds import pull_lane
from app.integrations.models import Integration, Platform
from app.integrations.queries import can_fetch, source_of
from app.jobs.models import Job
from app.programmes.models import Programme
from app.sharing.models import ReceivedProject


def list_fetching(session: Session) -> list[Integration]:
    """The connections that can fetch, and whose programme takes what they bring."""
    rows = session.exec(
        select(Integration)
        .join(Programme, col(Programme.id) == col(Integration.programme_id))
        .where(
            col(Integration.platform) == Platform.OPENQI,
            col(Integration.archived_at).is_(None),
            col(Programme.archived_at).is_(None),
        )
        .order_by(col(Integration.id))
    )
    return [row for row in rows if can_fetch(row)]


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


def list_running(
    session: Session, *, integration_id: uuid.UUID, project_id: uuid.UUID
) -> list[Job]:
    """The jobs that fetch the project at this moment, whoever's they are: one is the caller's."""
    lane = pull_lane(integration_id)
    statement = select(Job).where(Job.lane == lane, col(Job.lease).is_not(None))
    jobs = session.exec(statement)
    return [job for job in jobs if job.args.get("project_id") == project_id.hex]


def actor_of(integration: Integration) -> Actor:
    """Whom its changes are said to come from, without any role."""
    return Actor(
        user_id=integration.owner_id,
        email="",
        display_name="",
        grants=(),
        bound_programme_id=integration.programme_id,
        source=source_of(integration),
    )
