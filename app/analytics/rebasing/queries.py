"""Computes rebase candidates on read: a measure's series, searched for a shift that lasts."""

import hashlib
import uuid
from bisect import bisect_left
from collections.abc import Sequence
from datetime import date

from sqlmodel import Session

from app import spc
from app.access.actor import Actor
from app.analytics.drawing import Unchartable, in_query
from app.analytics.queries import assemble_many
from app.analytics.rebasing.schemas import RebaseCandidate, RebaseCandidates, questions
from app.measures.models import Measure, PhaseStatus
from app.measures.phases.queries import list_answers
from app.measures.queries import get_measure
from app.spc.stable_shift import RUN_LENGTH, Shift, find_shift

DETECTOR = "stable_shift/1"
# The published 21 points would never be reached twice in a nine-month programme of weekly data; a
# dozen is what the house asks of a baseline.
PERIOD_POINTS = 12
_BETTER = {"increase": "high", "decrease": "low"}


def list_rebase_candidates(
    session: Session, *, actor: Actor, measure_id: uuid.UUID
) -> RebaseCandidates:
    """What is proposed for a measure today. Raises `NotFound` and `Unchartable`."""
    measure = get_measure(session, actor=actor, measure_id=measure_id)
    found = find_candidate(session, measure=measure)
    return RebaseCandidates(
        measure_id=measure.id,
        detector=DETECTOR,
        run_length=RUN_LENGTH,
        period_points=PERIOD_POINTS,
        items=[] if found is None else [found],
    )


def find_candidate(session: Session, *, measure: Measure) -> RebaseCandidate | None:
    """The next candidate. The caller has checked access. Raises `Unchartable`."""
    [(_, (series, settings, _))] = assemble_many(session, [measure.id])
    days = [date.fromisoformat(day) for day in series.x]
    answers = list_answers(session, measure_id=measure.id, detector=DETECTOR)
    declined = {
        bisect_left(days, phase.starts_on)
        for phase in answers
        if phase.status is PhaseStatus.DECLINED
    }
    try:
        shift = find_shift(series, settings, period_points=PERIOD_POINTS, declined=declined)
    except spc.SpcError as fault:
        raise Unchartable.because(fault, in_query) from fault
    if shift is None:
        return None
    phase_start = days[max(settings.phase_starts, default=0)]
    identifier = _identifier(phase_start, days[shift.start])
    waiting = (
        phase.id
        for phase in answers
        if phase.status is PhaseStatus.PROPOSED and phase.candidate_id == identifier
    )
    return _candidate(identifier, shift, days, settings, next(waiting, None))


def _identifier(phase_start: date, start: date) -> str:
    """16 hex digits that stay the same while points are appended to the series."""
    text = "\x1f".join((DETECTOR, phase_start.isoformat(), start.isoformat()))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _candidate(
    identifier: str,
    shift: Shift,
    days: Sequence[date],
    settings: spc.Settings,
    phase_id: uuid.UUID | None,
) -> RebaseCandidate:
    better = _BETTER.get(settings.direction)
    meaning = "neither" if better is None else "concern"
    run = {
        "starts_on": days[shift.start],
        "ends_on": days[shift.run_rows[-1]],
        "points": len(shift.run_rows),
    }
    limits_from = {
        "starts_on": days[shift.start],
        "ends_on": days[shift.period_stop - 1],
        "points": PERIOD_POINTS,
    }
    return RebaseCandidate.model_validate(
        {
            "id": identifier,
            "starts_on": days[shift.start],
            "direction": shift.direction,
            "meaning": "improvement" if better == shift.direction else meaning,
            "run": run,
            "limits_from": limits_from,
            "baseline_points": shift.period_stop - shift.start,
            "before": shift.before._asdict(),
            "after": shift.after._asdict(),
            "questions": questions(sustained=len(shift.run_rows) >= RUN_LENGTH),
            "phase_id": phase_id,
        }
    )
