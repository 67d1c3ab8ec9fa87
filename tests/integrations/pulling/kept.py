"""What a fetch has left in the database."""

from typing import Any

from sqlmodel import Session, col, select

from app.events.models import Event
from app.jobs.handlers import Done
from app.projects.models import Project
from app.sharing.models import ReceivedProject
from tests.integrations.pulling.conftest import Pull
from tests.integrations.pulling.other import Other


def brought(session: Session) -> Project:
    (row,) = session.exec(select(ReceivedProject)).all()
    return session.get_one(Project, row.project_id)


def the_one(session: Session, entity: Any) -> Any:
    statement = select(entity).where(entity.project_id == brought(session).id)
    return session.exec(statement).one()


def live(session: Session, entity: Any) -> list[Any]:
    statement = select(entity).where(
        entity.project_id == brought(session).id, entity.archived_at.is_(None)
    )
    return list(session.exec(statement))


def events_of(session: Session) -> list[str]:
    statement = select(Event).where(col(Event.project_id) == brought(session).id)
    return sorted(event.type for event in session.exec(statement))


def changed_by(session: Session, pull: Pull, other: Other) -> list[str]:
    """The events of the next fetch, after `other` was changed."""
    before = events_of(session)
    other.renew()
    assert pull() == [Done()]
    after = events_of(session)
    for name in before:
        after.remove(name)
    return after
