"""What the teams of the story say about their charts: annotations, explanations, a new phase."""

import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any, NamedTuple

from sqlmodel import Session

from app.access.actor import Actor
from app.analytics.queries import draw_project, list_project_series
from app.demo.story import BASELINE_WEEKS
from app.measures.annotations.actions import create_annotation
from app.measures.annotations.schemas import AnnotationCreate
from app.measures.phases.actions import create_phase
from app.measures.phases.schemas import PhaseChecklist, PhaseCreate


class Note(NamedTuple):
    """An annotation of a project's measure, by position; it may explain the improvement since."""

    measure: int
    day: date
    kind: str
    text: str
    cycle: int | None = None  # the cycle behind it, by position
    explains: bool = False


class NewPhase(NamedTuple):
    """The decision to take a measure's lines anew."""

    measure: int
    starts_on: date
    decided_on: date
    label: str
    reason: str
    cycle: int


WRITTEN_ON = date(2018, 9, 10)  # the day after the last data came in
NOTES: dict[str, tuple[Note, ...]] = {
    "North": (
        Note(0, date(2018, 3, 12), "change", "Fixed signing slot, one doctor", 0, True),
        Note(0, date(2018, 5, 14), "change", "Guarded slot in both practices", 2),
        Note(1, date(2018, 4, 30), "event", "Leaflet about requests online"),
    ),
    "South": (
        Note(0, date(2018, 3, 19), "change", "Second pharmacist, a locum, begins", 0, True),
        Note(0, date(2018, 5, 21), "event", "The locum leaves"),
    ),
}
PHASES = {
    "North": NewPhase(
        1,
        date(2018, 4, 30),
        WRITTEN_ON,
        "Leaflet and guarded slot",
        "Both are the way that both practices work; the old limits show nothing new.",
        2,
    )
}


def _at(day: date) -> datetime:
    return datetime.combine(day, time(15), tzinfo=UTC)


def mark_charts(
    session: Session,
    actor: Actor,
    *,
    team: str,
    project_id: uuid.UUID,
    measures: Sequence[uuid.UUID],
    cycles: Sequence[uuid.UUID],
) -> None:
    """Write what a team says about its charts, once the data are in."""
    for note in NOTES.get(team, ()):
        signals = _improvements(session, actor, project_id, measures[note.measure], note.day)
        data = {
            "happened_on": note.day,
            "kind": note.kind,
            "text": note.text,
            "explains": signals if note.explains else [],
            "pdsa_cycle_ids": [] if note.cycle is None else [str(cycles[note.cycle])],
        }
        create_annotation(
            session,
            actor=actor,
            measure_id=measures[note.measure],
            data=AnnotationCreate.model_validate(data),
            now=_at(WRITTEN_ON),
        )
    if team in PHASES:
        _start_phase(session, actor, PHASES[team], measures, cycles)


def _improvements(
    session: Session, actor: Actor, project_id: uuid.UUID, measure_id: uuid.UUID, since: date
) -> list[str]:
    """The signals of an improvement that begin after the day."""
    _, rows = list_project_series(session, actor=actor, project_id=project_id)
    charts = {item["measure_id"]: item["spc"] for item in draw_project(session, rows)}
    chart: dict[str, Any] = charts[str(measure_id)]
    return [
        signal["id"]
        for signal in chart["signals"]
        if signal["meaning"] == "improvement"
        and chart["points"][signal["start"]]["x"] >= since.isoformat()
    ]


def _start_phase(
    session: Session,
    actor: Actor,
    told: NewPhase,
    measures: Sequence[uuid.UUID],
    cycles: Sequence[uuid.UUID],
) -> None:
    data = {
        "starts_on": told.starts_on,
        "label": told.label,
        "reason": "change_adopted",
        "reason_text": told.reason,
        "baseline_points": BASELINE_WEEKS,
        "checklist": dict.fromkeys(PhaseChecklist.model_fields, True),
        "pdsa_cycle_ids": [str(cycles[told.cycle])],
    }
    create_phase(
        session,
        actor=actor,
        measure_id=measures[told.measure],
        data=PhaseCreate.model_validate(data),
        now=_at(told.decided_on),
    )
