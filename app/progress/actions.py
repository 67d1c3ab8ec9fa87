"""Moves programmes and projects from state to state."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session

from app.access import records
from app.access.actor import Actor, Place
from app.access.permissions import Permission
from app.access.scope import refuse_archived
from app.events.catalogue import Resource, Verb
from app.kit.errors import (
    FieldError,
    Invalid,
    InvalidStateTransition,
    TransitionBlocked,
    pointer,
)
from app.programmes.models import Programme, ProgrammeState
from app.programmes.queries import get_programme
from app.progress import guards, queries
from app.progress.schemas import ProgrammeTransition, ProjectTransition
from app.projects.models import Project, ProjectState
from app.projects.queries import get_project, refuse_frozen

# Of the texts of a transition: which a step needs, and which of them it can take.
_PROJECT_TEXTS = ("review_on", "learning")
_NEEDED = {ProjectState.PAUSED: ("reason",), ProjectState.STOPPED: ("reason", "learning")}
_TAKEN = {ProjectState.PAUSED: ("review_on",), ProjectState.STOPPED: ("learning",)}


class TextRequired(Invalid):
    """422: the step is allowed, but the body does not say what would be lost."""

    code = "text_required"
    title = "This step needs a text."

    @classmethod
    def of(cls, names: list[str]) -> "TextRequired":
        """The texts that are missing, each with its pointer."""
        return cls(
            errors=[
                FieldError(code=cls.code, detail=cls.title, pointer=pointer(name)) for name in names
            ]
        )


def _said(**reasons: Any) -> dict[str, tuple[None, Any]]:
    """What the caller gave as reasons, as the event keeps it beside the changed fields."""
    return {name: (None, value) for name, value in reasons.items() if value}


def transition_programme(
    session: Session,
    *,
    actor: Actor,
    programme_id: uuid.UUID,
    data: ProgrammeTransition,
    now: datetime,
) -> Programme:
    """One step. What a programme's guards ask for cannot be overridden."""
    row = get_programme(session, actor=actor, programme_id=programme_id)
    actor.require(Permission.PROGRAMME_WRITE, Place(row.id))
    refuse_archived(row)
    steps = guards.programme_steps(row.state)
    if data.to not in steps:
        raise InvalidStateTransition(state=row.state, to=data.to, allowed=steps)
    if data.to is ProgrammeState.CANCELLED and data.reason is None:
        raise TextRequired.of(["reason"])
    needs = guards.PROGRAMME_NEEDS.get(data.to, ())
    missing = guards.unmet(needs, queries.programme_facts(session, row)) if needs else []
    if missing:
        raise TransitionBlocked(to=data.to, missing=missing, can_override=False)
    return records.keep_changes(
        session,
        actor=actor,
        noun=Resource.PROGRAMME,
        row=row,
        values={"state": data.to},
        now=now,
        verb=Verb.STATE_CHANGED,
        data={"from": row.state, "to": data.to},
        also=_said(reason=data.reason),
    )


def _check_texts(data: ProjectTransition) -> None:
    lacking = [name for name in _NEEDED.get(data.to, ()) if getattr(data, name) is None]
    if lacking:
        raise TextRequired.of(lacking)
    for name in _PROJECT_TEXTS:
        if getattr(data, name) is not None and name not in _TAKEN.get(data.to, ()):
            raise Invalid.at(
                name, code="not_of_this_step", detail=f"A step to {data.to} does not take this."
            )


def _entering(row: Project, data: ProjectTransition) -> Mapping[str, Any]:
    """What a step sets beside the state."""
    resumed = {"paused_from": None, "pause_reason": None, "review_on": None}
    match data.to:
        case ProjectState.PAUSED:
            return {
                "paused_from": row.state,
                "pause_reason": data.reason,
                "review_on": data.review_on,
            }
        case ProjectState.STOPPED:
            return resumed | {"stop_reason": data.reason, "learning": data.learning}
        case _:
            return resumed


def _missing(session: Session, row: Project, to: ProjectState) -> list[str]:
    """Going back to where a pause began asks for nothing: the project was there before."""
    needs = guards.PROJECT_NEEDS.get(to, ())
    if row.state is ProjectState.PAUSED or not needs:
        return []
    return guards.unmet(needs, queries.project_facts(session, row))


def transition_project(
    session: Session,
    *,
    actor: Actor,
    project_id: uuid.UUID,
    data: ProjectTransition,
    now: datetime,
) -> Project:
    """One step. What is missing can be overridden; the reason and what was missing are recorded."""
    row = get_project(session, actor=actor, project_id=project_id)
    actor.require(Permission.PROJECT_TRANSITION, row.place)
    refuse_frozen(session, row)
    steps = guards.project_steps(row.state, row.paused_from)
    if data.to not in steps:
        raise InvalidStateTransition(state=row.state, to=data.to, allowed=steps)
    _check_texts(data)
    missing = _missing(session, row, data.to)
    if missing and data.override_reason is None:
        raise TransitionBlocked(to=data.to, missing=missing, can_override=True)
    override = data.override_reason if missing else None
    return records.keep_changes(
        session,
        actor=actor,
        noun=Resource.PROJECT,
        row=row,
        values={"state": data.to, **_entering(row, data)},
        now=now,
        verb=Verb.STATE_CHANGED,
        data={"from": row.state, "to": data.to},
        also=_said(reason=data.reason, override_reason=override, missing=missing),
    )
