"""Decisions about rebase candidates. Each leaves a phase: approved, proposed or declined."""

import uuid
from datetime import datetime

from sqlmodel import Session

from app.access.actor import Actor
from app.access.permissions import Permission
from app.analytics.rebasing import queries
from app.analytics.rebasing.schemas import RebaseCandidate, RebaseChoice, RebaseDecision
from app.events.catalogue import Verb
from app.kit.errors import Conflict, Invalid, NotFound
from app.measures.actions import get_writable
from app.measures.models import Measure, Phase, PhaseReason, PhaseStatus
from app.measures.phases.actions import Candidate, keep_phase, transition_phase
from app.measures.phases.schemas import PhaseBase, PhaseTransition

_STATUS = {
    RebaseChoice.ACCEPT: (PhaseStatus.APPROVED, Verb.APPROVED),
    RebaseChoice.PROPOSE: (PhaseStatus.PROPOSED, Verb.PROPOSED),
    RebaseChoice.DECLINE: (PhaseStatus.DECLINED, Verb.CREATED),
}


class CandidatePending(Conflict):
    """409: the body is right, but the candidate has been put forward and waits for a decision."""

    code = "candidate_pending"
    title = "This candidate has been put forward already."


def decide_rebase_candidate(
    session: Session,
    *,
    actor: Actor,
    measure_id: uuid.UUID,
    candidate_id: str,
    data: RebaseDecision,
    now: datetime,
) -> Phase:
    """Accept, put forward or decline. Raises `NotFound` for what is not proposed (any more)."""
    is_proposal = data.decision is RebaseChoice.PROPOSE
    permission = Permission.DATA_POINT_RECORD if is_proposal else Permission.MEASURE_WRITE
    measure = get_writable(session, actor=actor, measure_id=measure_id, permission=permission)
    found = queries.find_candidate(session, measure=measure)
    if found is None or found.id != candidate_id:
        raise NotFound
    if data.decision is RebaseChoice.ACCEPT and data.checklist is None:
        detail = "Answer the questions of the candidate before the lines are taken anew."
        raise Invalid.at("checklist", code="checklist_required", detail=detail)
    if found.phase_id is None:
        return _answer(session, actor, measure, found, data, now)
    if is_proposal:
        raise CandidatePending
    decided = PhaseTransition(
        to=_STATUS[data.decision][0], reason=data.reason, checklist=data.checklist
    )
    return transition_phase(session, actor=actor, phase_id=found.phase_id, data=decided, now=now)


def _answer(
    session: Session,
    actor: Actor,
    measure: Measure,
    found: RebaseCandidate,
    data: RebaseDecision,
    now: datetime,
) -> Phase:
    status, verb = _STATUS[data.decision]
    is_declined = status is PhaseStatus.DECLINED
    phase = PhaseBase(
        starts_on=found.starts_on,
        label=data.label,
        reason=PhaseReason.OTHER if is_declined else data.phase_reason,
        reason_text=data.reason,
        baseline_points=data.baseline_points or found.baseline_points,
        checklist=data.checklist,
        pdsa_cycle_ids=data.pdsa_cycle_ids,
    )
    return keep_phase(
        session,
        actor=actor,
        measure=measure,
        data=phase,
        status=status,
        now=now,
        candidate=Candidate(queries.DETECTOR, found.id),
        decision_reason=None if status is PhaseStatus.PROPOSED else data.reason,
        verb=verb,
    )
