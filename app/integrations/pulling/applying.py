"""Stores what a fetch brought, in one transaction: a project, its absence, or that nothing changed.

The other server is always right: nothing is written here between two fetches. Each returns what
came of it for the messages that told of the change; None where the connection is paused or gone.
"""

import uuid
from datetime import datetime
from typing import Any

from sqlmodel import Session

from app.access import records
from app.access.actor import Actor, Place
from app.access.permissions import Permission
from app.events.catalogue import Resource, Verb
from app.integrations.models import InboundOutcome, Integration
from app.integrations.pulling.comparison import Compared
from app.integrations.pulling.mapping import Known
from app.integrations.pulling.parts import Keeping, Unfit, keep_parts
from app.integrations.pulling.queries import (
    actor_of,
    find_received,
    list_running,
    lock_integration,
)
from app.integrations.queries import find_acting, source_of
from app.programmes.models import Programme
from app.projects.models import Project, Visibility
from app.sharing.models import ReceivedProject
from app.sharing.shared.schemas import SharedProject

_WRITES = (
    Permission.PROJECT_WRITE,
    Permission.MEASURE_WRITE,
    Permission.DATA_POINT_RECORD,
    Permission.PDSA_CYCLE_WRITE,
)
_COLUMNS = (
    *("title", "problem", "rationale", "scope_in", "scope_out", "area", "tags", "start_on"),
    *("patient_involvement", "state", "paused_from", "stop_reason", "learning"),
)


class Overtaken(Exception):
    """Another fetch of the project may have been answered later; whoever asks again knows."""


def _refuse_overtaken(received: ReceivedProject, asked_at: datetime) -> None:
    """Raise `Overtaken` unless all that is stored was stored before this fetch began to ask.

    Two workers may fetch one project at once, and the answer that is stored last need not be the
    one that was given last. By the clocks of the workers, as all instants here.
    """
    if received.fetched_at >= asked_at:
        raise Overtaken("Another fetch was quicker; its answer may be the later one.")


def _number(revision: str) -> int:
    return int(revision.split("-")[0])


def _owner(session: Session, integration: Integration, now: datetime) -> Actor:
    """Whom the connection acts for. Raises `Unfit` where nothing may be written so (any more)."""
    actor = find_acting(session, integration=integration, now=now)
    place = Place(integration.programme_id)
    if actor is None or not all(actor.can(permission, place) for permission in _WRITES):
        raise Unfit("The owner of the connection may not write projects of the programme.")
    if session.get_one(Programme, integration.programme_id).archived_at is not None:
        raise Unfit("The programme is archived.")
    return actor


def _values(document: SharedProject, measures: dict[uuid.UUID, uuid.UUID]) -> dict[str, Any]:
    values = {name: getattr(document, name) for name in _COLUMNS}
    aim = document.aim and document.aim.model_dump(mode="json")
    if aim:
        named = document.aim.measure_id if document.aim else None
        ours = measures.get(named) if named else None
        aim["measure_id"] = str(ours) if ours else None
    # Whoever has a role in the programme may read what was fetched for it.
    return values | {"aim": aim or None, "visibility": Visibility.PROGRAMME}


def apply_document(
    session: Session,
    *,
    integration_id: uuid.UUID,
    document: SharedProject,
    compared: Compared,
    asked_at: datetime,
    now: datetime,
) -> InboundOutcome | None:
    """The project as it stands in the document. An older document changes nothing.

    compared: its data beside those that are stored, from `compare_points`.
    Raises `Unfit`, `Overtaken`, or `OpenQIError` where the data break a rule of their type.
    """
    integration = lock_integration(session, integration_id)
    if integration is None:
        return None
    received = find_received(session, integration_id=integration.id, source_project_id=document.id)
    told = document.provenance.revision
    if received is not None:
        if _number(told) < _number(received.source_revision):
            return InboundOutcome.UNCHANGED
        if received.withdrawn_at is not None:
            _refuse_overtaken(received, asked_at)
        elif told == received.source_revision:
            received.fetched_at = now
            return InboundOutcome.UNCHANGED
    _keep(session, integration, received, document, compared, now)
    return InboundOutcome.APPLIED


def _keep(
    session: Session,
    integration: Integration,
    received: ReceivedProject | None,
    document: SharedProject,
    compared: Compared,
    now: datetime,
) -> None:
    actor = _owner(session, integration, now)
    if received is None and session.get(Project, document.id) is not None:
        raise Unfit("It is a project of this server.")
    known = Known(session, integration, actor=actor, now=now)
    ours = (
        received.project_id
        if received
        else known.ids_of(Resource.PROJECT, [document.id])[document.id]
    )
    measures = known.ids_of(Resource.MEASURE, [measure.id for measure in document.measures])
    values = _values(document, measures)
    if received is None:
        if ours not in known.new:
            raise Unfit("Another connection of the same name has brought the project already.")
        project = Project(id=ours, programme_id=integration.programme_id, **values)
        records.keep_new(session, actor=actor, noun=Resource.PROJECT, row=project, now=now)
    else:
        project = session.get_one(Project, received.project_id)
        _change(session, actor, project, values, now)
    keep_parts(Keeping(session, actor, known, project, now), document, compared)
    _note(session, integration, received, project, document, now)


def _change(
    session: Session, actor: Actor, project: Project, values: dict[str, Any], now: datetime
) -> None:
    verb, data = Verb.UPDATED, None
    if project.archived_at is not None:
        verb = Verb.RESTORED
        values = values | {"archived_at": None, "archived_by": None}
    elif project.state != values["state"]:
        verb, data = Verb.STATE_CHANGED, {"from": project.state, "to": values["state"]}
    noun = Resource.PROJECT
    records.keep_changes(
        session, actor=actor, noun=noun, row=project, values=values, now=now, verb=verb, data=data
    )


def _note(
    session: Session,
    integration: Integration,
    received: ReceivedProject | None,
    project: Project,
    document: SharedProject,
    now: datetime,
) -> None:
    provenance = document.provenance
    row = received or ReceivedProject(
        project_id=project.id,
        integration_id=integration.id,
        programme_id=integration.programme_id,
        source_project_id=document.id,
        received_at=now,
        source="",
        source_release_id=provenance.release_id,
        source_revision="",
        license="",
        fetched_at=now,
    )
    row.source = source_of(integration)
    row.source_release_id = provenance.release_id
    row.source_revision = provenance.revision
    row.license = provenance.license
    row.fetched_at, row.withdrawn_at = now, None
    session.add(row)


def apply_absence(
    session: Session,
    *,
    integration_id: uuid.UUID,
    project_id: uuid.UUID,
    asked_at: datetime,
    now: datetime,
) -> InboundOutcome | None:
    """It is shared no longer: hidden here too. Its data stay, for whoever must answer for them.

    Raises `Overtaken`; also where nothing is stored yet, but another fetch may be about to.
    """
    integration = lock_integration(session, integration_id)
    if integration is None:
        return None
    received = find_received(session, integration_id=integration.id, source_project_id=project_id)
    if received is None:
        if len(list_running(session, integration_id=integration.id, project_id=project_id)) > 1:
            raise Overtaken("Another fetch of the project is under way.")
        return InboundOutcome.IGNORED
    if received.withdrawn_at is not None:
        return InboundOutcome.IGNORED
    _refuse_overtaken(received, asked_at)
    # Whatever became of the owner's roles: who takes a project back is not kept waiting.
    actor = actor_of(integration)
    received.withdrawn_at = received.fetched_at = now
    values = {
        "archived_at": now,
        "archived_by": actor.user_id,
        "visibility": Visibility.TEAM,
    }
    project = session.get_one(Project, received.project_id)
    noun, verb = Resource.PROJECT, Verb.ARCHIVED
    records.keep_changes(
        session, actor=actor, noun=noun, row=project, values=values, now=now, verb=verb
    )
    return InboundOutcome.APPLIED


def apply_unchanged(
    session: Session, *, integration_id: uuid.UUID, project_id: uuid.UUID, now: datetime
) -> InboundOutcome:
    """Only that the other server was asked."""
    received = find_received(session, integration_id=integration_id, source_project_id=project_id)
    if received is not None:
        received.fetched_at = now
    return InboundOutcome.UNCHANGED
