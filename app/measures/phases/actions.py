"""Writes of phases. Whatever alters the drawn lines moves the series of the measure."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlmodel import Session

from app.access import records
from app.access.actor import Actor
from app.access.permissions import Permission
from app.access.scope import refuse_archived
from app.events.catalogue import Resource, Verb
from app.kit.errors import Conflict, Invalid, InvalidStateTransition
from app.kit.patching import column_values, patched_values, storable
from app.kit.preconditions import Precondition
from app.measures.actions import get_writable, touch_series
from app.measures.models import Measure, Phase, PhaseReason, PhaseStatus
from app.measures.phases import queries
from app.measures.phases.schemas import PhaseBase, PhaseCreate, PhasePatch, PhaseTransition
from app.measures.references import CYCLES_FIELD, check_cycles

_STATUS = "status"
_TOLD = ("measure_id", _STATUS, "starts_on")  # what events say of a phase
_AS_IT_IS: Mapping[str, Any] = {}
STEPS: dict[PhaseStatus, tuple[PhaseStatus, ...]] = {
    PhaseStatus.PROPOSED: (PhaseStatus.APPROVED, PhaseStatus.DECLINED),
    PhaseStatus.APPROVED: (PhaseStatus.REVOKED,),
    PhaseStatus.DECLINED: (PhaseStatus.APPROVED,),
    PhaseStatus.REVOKED: (PhaseStatus.APPROVED,),
}


class PhaseOverlap(Conflict):
    """409: the body is right, but another approved phase starts on that day already."""

    code = "phase_overlap"
    title = "Another approved phase of the measure starts on that day."


class Candidate(NamedTuple):
    """The computed proposal that a phase answers."""

    detector: str
    candidate_id: str


def _permission(status: PhaseStatus) -> Permission:
    """Whoever records data may put a phase forward; what is drawn is for whoever leads."""
    is_proposal = status is PhaseStatus.PROPOSED
    return Permission.DATA_POINT_RECORD if is_proposal else Permission.MEASURE_WRITE


def _is_drawn(row: Phase) -> bool:
    return row.status is PhaseStatus.APPROVED and row.archived_at is None


def _check_reason(values: dict[str, Any]) -> None:
    if values["reason"] is PhaseReason.OTHER and not values["reason_text"]:
        detail = "Say in reason_text why the lines are taken anew."
        raise Invalid.at("reason_text", code="reason_text_required", detail=detail)


def _check_day(session: Session, measure: Measure, values: dict[str, Any], now: datetime) -> None:
    span = queries.span_of(session, measure=measure, today=now.date())
    if not span.first <= values["starts_on"] <= span.last:
        detail = f"A phase of this measure starts from {span.first} to {span.last}."
        raise Invalid.at("starts_on", code="phase_out_of_range", detail=detail)


def _refuse_overlap(session: Session, row: Phase, values: Mapping[str, Any] = _AS_IT_IS) -> None:
    """Raise `PhaseOverlap` where the phase, with the values to come, would cover another."""
    status, archived_at, starts_on = (
        values.get(name, getattr(row, name)) for name in (_STATUS, "archived_at", "starts_on")
    )
    if status is PhaseStatus.APPROVED and archived_at is None:
        other = queries.find_drawn(
            session, measure_id=row.measure_id, starts_on=starts_on, besides=row.id
        )
        if other is not None:
            raise PhaseOverlap


def keep_phase(
    session: Session,
    *,
    actor: Actor,
    measure: Measure,
    data: PhaseBase,
    status: PhaseStatus,
    now: datetime,
    candidate: Candidate | None = None,
    decision_reason: str | None = None,
    verb: Verb = Verb.CREATED,
) -> Phase:
    """A new phase of a measure that the caller may write so."""
    values = column_values(data, exclude=frozenset({_STATUS}))
    _check_reason(values)
    _check_day(session, measure, values, now)
    cycles = values[CYCLES_FIELD]
    check_cycles(session, actor=actor, project_id=measure.project_id, cycle_ids=cycles)
    is_decided = status is not PhaseStatus.PROPOSED
    row = Phase(
        programme_id=measure.programme_id,
        project_id=measure.project_id,
        measure_id=measure.id,
        status=status,
        decision_reason=decision_reason,
        decided_by=actor.user_id if is_decided else None,
        decided_at=now if is_decided else None,
        **(candidate._asdict() if candidate else {}),
        **values,
    )
    _refuse_overlap(session, row)
    noun, about = Resource.PHASE, {name: getattr(row, name) for name in _TOLD}
    records.keep_new(session, actor=actor, noun=noun, row=row, now=now, verb=verb, data=about)
    if _is_drawn(row):
        touch_series(session, measure, now=now)
    return row


def create_phase(
    session: Session, *, actor: Actor, measure_id: uuid.UUID, data: PhaseCreate, now: datetime
) -> Phase:
    """An approved phase, or one that is put forward."""
    measure = get_writable(
        session, actor=actor, measure_id=measure_id, permission=_permission(data.status)
    )
    verb = Verb.PROPOSED if data.status is PhaseStatus.PROPOSED else Verb.CREATED
    return keep_phase(
        session, actor=actor, measure=measure, data=data, status=data.status, now=now, verb=verb
    )


def _found(
    session: Session, *, actor: Actor, phase_id: uuid.UUID, permission: Permission | None = None
) -> tuple[Phase, Measure]:
    row = queries.get_phase(session, actor=actor, phase_id=phase_id)
    permission = permission or _permission(row.status)
    measure = get_writable(session, actor=actor, measure_id=row.measure_id, permission=permission)
    return row, measure


def _keep_changes(
    session: Session,
    *,
    actor: Actor,
    row: Phase,
    measure: Measure,
    values: dict[str, Any],
    now: datetime,
    verb: Verb = Verb.UPDATED,
    **data: Any,
) -> Phase:
    """Keep the changes with their event; move the series if the phase was or is now drawn."""
    _refuse_overlap(session, row, values)
    before, was_drawn = row.revision, _is_drawn(row)
    about = {name: values.get(name, getattr(row, name)) for name in _TOLD}
    records.keep_changes(
        session,
        actor=actor,
        noun=Resource.PHASE,
        row=row,
        values=values,
        now=now,
        verb=verb,
        data={**about, **data},
    )
    if row.revision != before and (was_drawn or _is_drawn(row)):
        touch_series(session, measure, now=now)
    return row


def update_phase(
    session: Session,
    *,
    actor: Actor,
    phase_id: uuid.UUID,
    patch: PhasePatch,
    condition: Precondition,
    now: datetime,
) -> Phase:
    """Merge the patch; its status changes by decisions alone."""
    row, measure = _found(session, actor=actor, phase_id=phase_id)
    condition.check(row.revision)
    refuse_archived(row)
    values = patched_values(PhaseBase, row, patch)
    _check_reason(values)
    if values["starts_on"] != row.starts_on:
        _check_day(session, measure, values, now)
    check_cycles(
        session,
        actor=actor,
        project_id=row.project_id,
        cycle_ids=values[CYCLES_FIELD],
        known=row.pdsa_cycle_ids,
    )
    return _keep_changes(session, actor=actor, row=row, measure=measure, values=values, now=now)


def transition_phase(
    session: Session, *, actor: Actor, phase_id: uuid.UUID, data: PhaseTransition, now: datetime
) -> Phase:
    """Approve, decline or revoke; each can be undone."""
    row, measure = _found(
        session, actor=actor, phase_id=phase_id, permission=Permission.MEASURE_WRITE
    )
    refuse_archived(row)
    before, steps = row.status, STEPS[row.status]
    if data.to not in steps:
        raise InvalidStateTransition(state=before, to=data.to, allowed=steps)
    if data.to is not PhaseStatus.APPROVED and not data.reason:
        raise Invalid.at("reason", code="reason_required", detail="Say why.")
    values = {
        _STATUS: data.to,
        "decision_reason": data.reason,
        "decided_by": actor.user_id,
        "decided_at": now,
    }
    if data.checklist is not None:
        values["checklist"] = storable(data.checklist)
    return _keep_changes(
        session,
        actor=actor,
        row=row,
        measure=measure,
        values=values,
        now=now,
        verb=Verb.APPROVED if data.to is PhaseStatus.APPROVED else Verb.STATE_CHANGED,
        **{"from": before, "to": data.to},
    )


def archive_phase(
    session: Session,
    *,
    actor: Actor,
    phase_id: uuid.UUID,
    condition: Precondition,
    now: datetime,
) -> None:
    """Take it out of the list and of the chart."""
    row, measure = _found(session, actor=actor, phase_id=phase_id)
    condition.check(row.revision, required=False)
    was_drawn = _is_drawn(row)
    records.archive(session, actor=actor, noun=Resource.PHASE, row=row, now=now)
    if was_drawn:
        touch_series(session, measure, now=now)


def restore_phase(session: Session, *, actor: Actor, phase_id: uuid.UUID, now: datetime) -> Phase:
    """Bring it back as it was; 409 where another approved phase took its day meanwhile."""
    row, measure = _found(session, actor=actor, phase_id=phase_id)
    values = {"archived_at": None, "archived_by": None}
    return _keep_changes(
        session,
        actor=actor,
        row=row,
        measure=measure,
        values=values,
        now=now,
        verb=Verb.RESTORED,
    )
