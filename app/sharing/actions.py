"""Writes of releases: a project is given to an audience, and taken back."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session

from app.access import records
from app.access.actor import Actor, Place
from app.access.permissions import Permission
from app.events.catalogue import Resource, Verb
from app.kit.errors import Conflict, Invalid, InvalidStateTransition, TransitionBlocked
from app.projects.models import Project, Visibility
from app.projects.queries import find_provenance, get_project, refuse_frozen
from app.sharing import queries
from app.sharing.models import Audience, Release, ReleaseState
from app.sharing.numbers import SMALL_UP_TO, SmallMeasure, find_small_numbers
from app.sharing.schemas import ReleaseCreate, WithdrawalCreate


class AlreadyReleased(Conflict):
    """409: the project has that audience already; another audience takes the place of this one."""

    code = "already_released"
    title = "The project is released to that audience already."


class ReceivedProject(Conflict):
    """409: it belongs to the server that it came from; only there can it be released."""

    code = "received_project"
    title = "The project came from another server; it is released there."


class ReleaseBlocked(TransitionBlocked):
    """409: the body is right, but the project lacks what makes it worth reading."""

    code = "release_blocked"
    title = "The project lacks something that its readers need."


class SmallNumbers(Conflict):
    """409: the numbers stand so already; accept them with a reason, or leave them out first."""

    code = "small_numbers"
    title = "Some points count so few that somebody might be recognised."

    def __init__(self, found: Sequence[SmallMeasure]) -> None:
        measures = [
            {"measure_id": str(measure_id), "name": name, "points": points}
            for measure_id, name, points in found
        ]
        super().__init__(
            f"{sum(item.points for item in found)} points hold counts from 1 to {SMALL_UP_TO}. "
            "Give accept_small_numbers and small_numbers_reason to show them all the same.",
            extra={"missing": ["small_numbers_accepted"], "measures": measures},
        )


def _check_small_numbers(
    data: ReleaseCreate, found: Sequence[SmallMeasure], actor: Actor
) -> dict[str, Any]:
    """What was found and who accepted it. Within the programme numbers are not withheld."""
    is_accepted = data.accept_small_numbers
    if is_accepted and not data.small_numbers_reason:
        detail = "Say why small numbers may be shown."
        raise Invalid.at("small_numbers_reason", code="reason_required", detail=detail)
    if found and not is_accepted and data.audience is not Audience.PROGRAMME:
        raise SmallNumbers(found)
    return {
        "up_to": SMALL_UP_TO,
        "points": sum(item.points for item in found),
        "measures": [{"measure_id": str(item.measure_id), "points": item.points} for item in found],
        "accepted": is_accepted,
        "accepted_by": str(actor.user_id) if is_accepted else None,
        "reason": data.small_numbers_reason if is_accepted else None,
    }


def _told(row: Release) -> dict[str, Any]:
    return {"project_id": row.project_id, "audience": row.audience, "license": row.license}


def _end(
    session: Session, row: Release, *, actor: Actor, reason: str, now: datetime, **more: Any
) -> None:
    values = {
        "state": ReleaseState.WITHDRAWN,
        "withdrawn_by": actor.user_id,
        "withdrawn_at": now,
        "withdrawal_reason": reason,
    }
    records.keep_changes(
        session,
        actor=actor,
        noun=Resource.RELEASE,
        row=row,
        values=values,
        now=now,
        verb=Verb.WITHDRAWN,
        data=_told(row) | more,
    )


def _show(
    session: Session, project: Project, visibility: Visibility, *, actor: Actor, now: datetime
) -> None:
    records.keep_changes(
        session,
        actor=actor,
        noun=Resource.PROJECT,
        row=project,
        values={"visibility": visibility},
        now=now,
    )


def release_project(
    session: Session, *, actor: Actor, project_id: uuid.UUID, data: ReleaseCreate, now: datetime
) -> Release:
    """Give the project to an audience. A release to another audience ends the one before."""
    project = get_project(session, actor=actor, project_id=project_id)
    # A team decides whether its colleagues may look; what leaves the programme, its leaders do.
    is_inside = data.audience is Audience.PROGRAMME
    place = project.place if is_inside else Place(project.programme_id)
    actor.require(Permission.RELEASE_WRITE, place)
    if find_provenance(session, project_id=project.id) is not None:
        raise ReceivedProject
    refuse_frozen(session, project)
    missing = list(queries.missing_of(session, project))
    if missing:
        raise ReleaseBlocked(to=data.audience, missing=missing, can_override=False)
    found = find_small_numbers(session, project_id=project.id)
    small_numbers = _check_small_numbers(data, found, actor)
    row = Release(
        programme_id=project.programme_id,
        project_id=project.id,
        audience=data.audience,
        note=data.note,
        license=data.license,
        small_numbers=small_numbers,
        released_by=actor.user_id,
        released_at=now,
    )
    before = queries.find_published(session, project_id=project.id)
    if before is not None:
        if before.audience is data.audience:
            raise AlreadyReleased(extra={"release_id": str(before.id)})
        reason = f"Released to another audience: {data.audience}."
        _end(session, before, actor=actor, reason=reason, now=now, superseded_by=row.id)
    noun, told = Resource.RELEASE, _told(row)
    records.keep_new(
        session, actor=actor, noun=noun, row=row, now=now, verb=Verb.PUBLISHED, data=told
    )
    _show(session, project, Visibility(data.audience.value), actor=actor, now=now)
    return row


def withdraw_release(
    session: Session, *, actor: Actor, release_id: uuid.UUID, data: WithdrawalCreate, now: datetime
) -> Release:
    """Take it back. A team may, whoever released it; and of an archived project too."""
    row = queries.get_release(session, actor=actor, release_id=release_id)
    project = session.get_one(Project, row.project_id)
    actor.require(Permission.RELEASE_WRITE, project.place)
    if row.state is not ReleaseState.PUBLISHED:
        raise InvalidStateTransition(state=row.state, to=ReleaseState.WITHDRAWN, allowed=())
    _end(session, row, actor=actor, reason=data.reason, now=now)
    _show(session, project, Visibility.TEAM, actor=actor, now=now)
    return row
