"""Makes things happen and dispatches what happened, for the tests of the feed."""

from sqlmodel import Session

from app.events.catalogue import Resource, Verb
from app.events.dispatching import dispatcher
from app.events.models import Event
from app.events.outbox import Origin, record
from app.kit.clock import utc_now
from app.kit.db import Database
from app.kit.ids import new_id
from app.programmes.models import Programme
from app.projects.models import Project
from tests.jobs.draining import drain


def dispatch(database: Database) -> None:
    """Give every event its place in the feed."""
    drain(database, [dispatcher([])])


def happen(
    session: Session,
    noun: Resource,
    verb: Verb = Verb.UPDATED,
    *,
    programme: Programme | None = None,
    project: Project | None = None,
    team_id: object = None,
) -> Event:
    """An event of a resource of nobody's, in the programme or the project."""
    event = record(
        session,
        noun=noun,
        verb=verb,
        resource_id=new_id(),
        revision=2,
        programme_id=project.programme_id if project else programme.id if programme else None,
        project_id=project.id if project else None,
        team_id=team_id,  # type: ignore[arg-type]
        origin=Origin(),
        now=utc_now(),
    )
    session.commit()
    return event
