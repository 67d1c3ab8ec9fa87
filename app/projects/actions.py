"""Writes of projects. Their states are moved by `progress`, which looks at everything else."""

import uuid
from datetime import datetime
from typing import Any

from pydantic import MISSING
from sqlmodel import Session

from app.access import records
from app.access.actor import Actor, Place
from app.access.permissions import Permission
from app.access.scope import refuse_archived
from app.events.catalogue import Resource
from app.kit.errors import FieldError, Invalid, ReferenceNotFound, pointer
from app.kit.patching import column_values, patched_values
from app.kit.preconditions import Precondition
from app.programmes.models import Programme
from app.programmes.queries import get_programme
from app.projects import aims, queries
from app.projects.aims import Aim
from app.projects.models import Project, ProjectState
from app.projects.schemas import ProjectBase, ProjectCreate, ProjectPatch

# The order of the enumeration is that of the life; a stopped project may have measured too.
_MEASURED = frozenset(list(ProjectState)[list(ProjectState).index(ProjectState.BASELINE) :]) - {
    ProjectState.PAUSED
}


class AimChangeReasonRequired(Invalid):
    """422: the change is allowed, but the body does not say why; everybody measures against it."""

    code = "aim_change_reason_required"
    title = "Say in aim_change_reason why the aim changes."

    def __init__(self) -> None:
        place = pointer("aim_change_reason")
        super().__init__(errors=[FieldError(code=self.code, detail=self.title, pointer=place)])


def _check_team(
    session: Session, actor: Actor, programme: Programme, team_id: uuid.UUID | None
) -> None:
    if team_id is not None:
        team = queries.get_team_reference(
            session, actor=actor, programme_id=programme.id, team_id=team_id
        )
        refuse_archived(team)


def _check_aim(session: Session, programme: Programme, project: Project, aim: Any) -> None:
    if aim is None:
        return
    checked = Aim.model_validate(aim)
    faults = list(aims.faults_of(checked, programme_end=programme.ends_on))
    if faults:
        raise Invalid(errors=faults)
    if checked.measure_id is not None and not queries.is_outcome_measure(
        session, project_id=project.id, measure_id=checked.measure_id
    ):
        raise ReferenceNotFound.in_field("aim", "measure_id")


def create_project(
    session: Session, *, actor: Actor, programme_id: uuid.UUID, data: ProjectCreate, now: datetime
) -> Project:
    """An idea, of a team or of nobody yet."""
    programme = get_programme(session, actor=actor, programme_id=programme_id)
    actor.require(Permission.PROJECT_WRITE, Place(programme.id, data.team_id))
    refuse_archived(programme)
    _check_team(session, actor, programme, data.team_id)
    row = Project(programme_id=programme.id, **column_values(data))
    _check_aim(session, programme, row, row.aim)
    return records.keep_new(session, actor=actor, noun=Resource.PROJECT, row=row, now=now)


def _has_measured(project: Project) -> bool:
    return (project.paused_from or project.state) in _MEASURED


def update_project(
    session: Session,
    *,
    actor: Actor,
    project_id: uuid.UUID,
    patch: ProjectPatch,
    condition: Precondition,
    now: datetime,
) -> Project:
    """Merge the patch. Once the baseline is being measured, the aim changes with a reason only."""
    row = queries.get_project(session, actor=actor, project_id=project_id)
    actor.require(Permission.PROJECT_WRITE, row.place)
    condition.check(row.revision)
    queries.refuse_frozen(session, row)
    programme = session.get_one(Programme, row.programme_id)
    fields = patch.model_copy(update={"aim_change_reason": MISSING})
    values = patched_values(ProjectBase, row, fields)
    if values["team_id"] != row.team_id:
        actor.require(Permission.PROJECT_WRITE, Place(programme.id, values["team_id"]))
        _check_team(session, actor, programme, values["team_id"])
    also = {}
    if values["aim"] != row.aim:
        _check_aim(session, programme, row, values["aim"])
        reason = None if patch.aim_change_reason is MISSING else patch.aim_change_reason
        if _has_measured(row) and not reason:
            raise AimChangeReasonRequired
        also = {"aim_change_reason": (None, reason)} if reason else {}
    return records.keep_changes(
        session, actor=actor, noun=Resource.PROJECT, row=row, values=values, now=now, also=also
    )


def _refuse_fixed(session: Session, row: Project) -> None:
    """What stands in the way even of archiving and restoring it."""
    queries.refuse_received(session, row)
    refuse_archived(session.get_one(Programme, row.programme_id))


def archive_project(
    session: Session,
    *,
    actor: Actor,
    project_id: uuid.UUID,
    condition: Precondition,
    now: datetime,
) -> None:
    """Hide it and freeze what is in it."""
    row = queries.get_project(session, actor=actor, project_id=project_id)
    actor.require(Permission.PROJECT_WRITE, row.place)
    condition.check(row.revision, required=False)
    _refuse_fixed(session, row)
    records.archive(session, actor=actor, noun=Resource.PROJECT, row=row, now=now)


def restore_project(
    session: Session, *, actor: Actor, project_id: uuid.UUID, now: datetime
) -> Project:
    """Bring it back."""
    row = queries.get_project(session, actor=actor, project_id=project_id)
    actor.require(Permission.PROJECT_WRITE, row.place)
    _refuse_fixed(session, row)
    return records.restore(session, actor=actor, noun=Resource.PROJECT, row=row, now=now)
