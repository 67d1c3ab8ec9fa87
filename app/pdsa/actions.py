"""Writes of PDSA cycles: plan them, carry them forward, amend what is closed."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from app.access import records
from app.access.actor import Actor
from app.access.permissions import Permission
from app.access.scope import refuse_archived
from app.events.catalogue import Resource, Verb
from app.kit.errors import (
    Conflict,
    Invalid,
    InvalidStateTransition,
    ReferenceNotFound,
    TransitionBlocked,
)
from app.kit.patching import merge_patch, patched_values, storable
from app.kit.preconditions import Precondition
from app.measures.actions import touch_project_series
from app.pdsa import gates, queries, references
from app.pdsa.marks import mark_of
from app.pdsa.models import CycleState, PDSACycle
from app.pdsa.schemas import (
    AmendmentCreate,
    PDSACycleBase,
    PDSACycleCreate,
    PDSACyclePatch,
    PDSACycleTransition,
)
from app.pdsa.stages import Plan
from app.projects.models import Project
from app.projects.queries import refuse_frozen


class StageClosed(Conflict):
    """409: that stage has ended or has not begun; only the present state stands in the way."""

    code = "stage_closed"
    title = "That stage is not open. Amend a stage that has ended."


class StageOpen(Conflict):
    """409: an amendment corrects what can no longer be changed; this still can."""

    code = "stage_open"
    title = "That stage has not ended. Change it with PATCH."


class PredictionLocked(Conflict):
    """409: a prediction that could change after the test would predict nothing."""

    code = "prediction_locked"
    title = "Predictions cannot change once the cycle has started."


class PDSAStageGate(TransitionBlocked):
    """409: the body is right, the cycle's record is not complete yet."""

    code = "pdsa_stage_gate"
    title = "The stage lacks something that the next one builds on."


@contextmanager
def _marked(session: Session, row: PDSACycle, now: datetime) -> Iterator[None]:
    """Move the series of the project's measures if their charts print the cycle otherwise then."""
    before = mark_of(row)
    yield
    if mark_of(row) != before:
        touch_project_series(session, project_id=row.project_id, now=now)


def _get_writable(
    session: Session, actor: Actor, cycle_id: uuid.UUID, condition: Precondition | None = None
) -> PDSACycle:
    """The cycle, if the caller may write it and nothing above it is archived."""
    row = queries.get_pdsa_cycle(session, actor=actor, cycle_id=cycle_id)
    project = session.get_one(Project, row.project_id)
    actor.require(Permission.PDSA_CYCLE_WRITE, project.place)
    if condition is not None:
        condition.check(row.revision)
    refuse_archived(row)
    refuse_frozen(session, project)
    return row


def _previous(
    session: Session, actor: Actor, project: Project, cycle_id: uuid.UUID | None
) -> PDSACycle | None:
    if cycle_id is None:
        return None
    found = queries.find_in_project(
        session, actor=actor, project_id=project.id, entity=PDSACycle, ids=[cycle_id]
    )
    if not found:
        raise ReferenceNotFound.in_field("previous_cycle_id")
    return session.get_one(PDSACycle, cycle_id)


def _first_plan(previous: PDSACycle | None, given: Plan) -> dict[str, Any]:
    """What is not given is copied, but for dates; copied predictions are made anew."""
    if previous is None:
        plan = given
    else:
        old = Plan.model_validate(previous.plan).model_dump(exclude={"when_start", "when_end"})
        old["predictions"] = [prediction | {"id": None} for prediction in old["predictions"]]
        plan = Plan.model_validate(merge_patch(old, given.model_dump(exclude_unset=True)))
    values: dict[str, Any] = storable(plan)
    references.identify_predictions(values, known=set())
    return values


def create_pdsa_cycle(
    session: Session, *, actor: Actor, project_id: uuid.UUID, data: PDSACycleCreate, now: datetime
) -> PDSACycle:
    """The first cycle of a new ramp, or the next of the ramp of `previous_cycle_id`."""
    project = queries.get_project_of_cycles(session, actor=actor, project_id=project_id)
    actor.require(Permission.PDSA_CYCLE_WRITE, project.place)
    refuse_frozen(session, project)
    previous = _previous(session, actor, project, data.previous_cycle_id)
    row = PDSACycle(
        programme_id=project.programme_id,
        project_id=project.id,
        ramp_id=uuid.UUID(int=0),
        cycle_no=1,
        title=data.title,
        purpose=data.purpose,
        previous_cycle_id=data.previous_cycle_id,
    )
    plan = _first_plan(previous, data.plan)
    references.check_references(session, actor=actor, cycle=row, stage="plan", content=plan)
    row.plan = plan
    row.ramp_id = row.id if previous is None else previous.ramp_id
    if previous is not None:
        row.cycle_no = _next_number(session, project, previous)
    return records.keep_new(session, actor=actor, noun=Resource.PDSA_CYCLE, row=row, now=now)


def _next_number(session: Session, project: Project, previous: PDSACycle) -> int:
    # Two at once would take the same number: on PostgreSQL the second waits here for the first.
    session.execute(
        sa.select(col(Project.id)).where(col(Project.id) == project.id).with_for_update()
    )
    return queries.length_of_ramp(session, ramp_id=previous.ramp_id) + 1


def _refuse_closed(row: PDSACycle, patch: PDSACyclePatch) -> None:
    opened = gates.OPEN_STAGE.get(row.state)
    given = patch.model_fields_set
    has_predictions = "predictions" in patch.model_dump().get("plan", {})
    if has_predictions and row.predictions_hash is not None:
        raise PredictionLocked
    closed = given & set(gates.STAGES) - {opened} if opened else given
    if closed:
        raise StageClosed(extra={"open": opened})


def update_pdsa_cycle(
    session: Session,
    *,
    actor: Actor,
    cycle_id: uuid.UUID,
    patch: PDSACyclePatch,
    condition: Precondition,
    now: datetime,
) -> PDSACycle:
    """Merge the patch into the stage that is open."""
    row = _get_writable(session, actor, cycle_id, condition)
    _refuse_closed(row, patch)
    merged = patched_values(PDSACycleBase, row, patch)
    values = {name: value for name, value in merged.items() if name in patch.model_fields_set}
    if "plan" in values:
        known = references.prediction_ids(row.plan)
        references.identify_predictions(values["plan"], known=known)
    if "study" in values:
        references.check_results(row.plan, values["study"])
    for stage in values.keys() & gates.STAGES.keys():
        references.check_references(
            session, actor=actor, cycle=row, stage=stage, content=values[stage]
        )
    with _marked(session, row, now):
        return records.keep_changes(
            session, actor=actor, noun=Resource.PDSA_CYCLE, row=row, values=values, now=now
        )


def _entering(row: PDSACycle, data: PDSACycleTransition, now: datetime) -> dict[str, Any]:
    """What a step sets beside the state."""
    match data.to:
        case CycleState.DOING:
            hashed = gates.hash_of_predictions(row.plan)
            return {"started_at": now, "predictions_hash": hashed}
        case CycleState.ACTING:
            return {"studied_at": now}
        case CycleState.CLOSED:
            return {"closed_at": now}
        case CycleState.CANCELLED:
            return {"cancel_reason": data.reason}
        case _:
            return {}


def transition_pdsa_cycle(
    session: Session,
    *,
    actor: Actor,
    cycle_id: uuid.UUID,
    data: PDSACycleTransition,
    now: datetime,
) -> PDSACycle:
    """One step forward, or cancel. What is missing can be overridden, and that is recorded."""
    row = _get_writable(session, actor, cycle_id)
    steps = gates.STEPS[row.state]
    if data.to not in steps:
        raise InvalidStateTransition(state=row.state, to=data.to, allowed=steps)
    if data.to is CycleState.CANCELLED and data.reason is None:
        raise Invalid.at("reason", code="reason_required", detail="Say why it is cancelled.")
    missing = gates.missing_before(row, data.to)
    if missing and data.override_reason is None:
        raise PDSAStageGate(to=data.to, missing=missing, can_override=True)
    overridden = {"override_reason": (None, data.override_reason), "missing": (None, missing)}
    with _marked(session, row, now):
        return records.keep_changes(
            session,
            actor=actor,
            noun=Resource.PDSA_CYCLE,
            row=row,
            values={"state": data.to, **_entering(row, data, now)},
            now=now,
            verb=Verb.STATE_CHANGED,
            data={"project_id": row.project_id, "from": row.state, "to": data.to},
            also=overridden if missing else None,
        )


def amend_pdsa_cycle(
    session: Session, *, actor: Actor, cycle_id: uuid.UUID, data: AmendmentCreate, now: datetime
) -> PDSACycle:
    """Add a correction to a stage that has ended; what stood there stays."""
    row = _get_writable(session, actor, cycle_id)
    if data.stage not in gates.closed_stages(row.state):
        raise StageOpen
    if data.field not in gates.STAGES[data.stage].model_fields:
        raise Invalid.at("field", code="unknown_field", detail="The stage has no such field.")
    amendment = data.model_dump() | {"author_id": str(actor.user_id), "at": now.isoformat()}
    return records.keep_changes(
        session,
        actor=actor,
        noun=Resource.PDSA_CYCLE,
        row=row,
        values={"amendments": [*row.amendments, amendment]},
        now=now,
    )


def archive_pdsa_cycle(
    session: Session,
    *,
    actor: Actor,
    cycle_id: uuid.UUID,
    condition: Precondition,
    now: datetime,
) -> None:
    """Hide it from lists; it keeps its number in the ramp."""
    row = queries.get_pdsa_cycle(session, actor=actor, cycle_id=cycle_id)
    project = session.get_one(Project, row.project_id)
    actor.require(Permission.PDSA_CYCLE_WRITE, project.place)
    condition.check(row.revision, required=False)
    refuse_frozen(session, project)
    with _marked(session, row, now):
        records.archive(session, actor=actor, noun=Resource.PDSA_CYCLE, row=row, now=now)


def restore_pdsa_cycle(
    session: Session, *, actor: Actor, cycle_id: uuid.UUID, now: datetime
) -> PDSACycle:
    """Bring it back."""
    row = queries.get_pdsa_cycle(session, actor=actor, cycle_id=cycle_id)
    project = session.get_one(Project, row.project_id)
    actor.require(Permission.PDSA_CYCLE_WRITE, project.place)
    refuse_frozen(session, project)
    with _marked(session, row, now):
        return records.restore(session, actor=actor, noun=Resource.PDSA_CYCLE, row=row, now=now)
