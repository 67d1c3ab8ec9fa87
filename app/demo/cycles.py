"""Runs the Plan-Do-Study-Act cycles of the story through their stages."""

import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from sqlmodel import Session

from app.access.actor import Actor
from app.demo.project_stories import CycleStory
from app.kit.preconditions import Precondition
from app.pdsa import actions as pdsa
from app.pdsa.models import PDSACycle
from app.pdsa.schemas import PDSACycleCreate, PDSACyclePatch, PDSACycleTransition

ANY = Precondition(if_match="*")


def _at(day: date) -> datetime:
    return datetime.combine(day, time(16), tzinfo=UTC)


def run_cycles(
    session: Session, actor: Actor, project_id: uuid.UUID, told: Sequence[CycleStory]
) -> list[uuid.UUID]:
    """One ramp: each cycle follows the one before, which names it when it is closed."""
    previous: PDSACycle | None = None
    made: list[uuid.UUID] = []
    for number, cycle in enumerate(told):
        row = _plan(session, actor, project_id, cycle, previous)
        if previous is not None:
            _close(session, actor, previous, told[number - 1], next_cycle_id=row.id)
        _work(session, actor, row, cycle)
        made.append(row.id)
        previous = row
    if previous is not None and not told[-1].is_open:
        _close(session, actor, previous, told[-1], next_cycle_id=None)
    return made


def _plan(
    session: Session,
    actor: Actor,
    project_id: uuid.UUID,
    told: CycleStory,
    previous: PDSACycle | None,
) -> PDSACycle:
    data = PDSACycleCreate.model_validate(
        {
            "title": told.title,
            "purpose": "test_change",
            "previous_cycle_id": previous.id if previous else None,
            "plan": {
                "objective": told.objective,
                "questions": [told.question],
                "predictions": [
                    {"text": told.prediction, "because": told.because, "confidence": 0.7}
                ],
                "test_scale": told.scale,
                "where": "The practices of the team",
                "when_start": told.starts_on,
                "when_end": told.ends_on,
                "who": ["The team"],
                "data_plan": {
                    "observation": "The outcome measure of the project",
                    "who": "Practice manager",
                    "how": "From the appointment system",
                    "when": "Every Monday",
                },
            },
        }
    )
    return pdsa.create_pdsa_cycle(
        session, actor=actor, project_id=project_id, data=data, now=_at(told.starts_on)
    )


def _change(session: Session, actor: Actor, row: PDSACycle, now: datetime, **stage: Any) -> None:
    pdsa.update_pdsa_cycle(
        session,
        actor=actor,
        cycle_id=row.id,
        patch=PDSACyclePatch.model_validate(stage),
        condition=ANY,
        now=now,
    )


def _move(session: Session, actor: Actor, row: PDSACycle, now: datetime, to: str) -> None:
    data = PDSACycleTransition.model_validate({"to": to})
    pdsa.transition_pdsa_cycle(session, actor=actor, cycle_id=row.id, data=data, now=now)


def _work(session: Session, actor: Actor, row: PDSACycle, told: CycleStory) -> None:
    """From Plan to Act; an open cycle stays in Do."""
    begun, ended = _at(told.starts_on), _at(told.ends_on)
    _move(session, actor, row, begun, "doing")
    if told.is_open:
        return
    done = {
        "carried_out": "yes",
        "actual_start": told.starts_on,
        "observations": [told.observations],
    }
    _change(session, actor, row, ended, do=done)
    _move(session, actor, row, ended, "studying")
    prediction = row.plan["predictions"][0]["id"]
    study = {
        "analysis": told.observations,
        "learning": told.learning,
        "results": [{"prediction_id": prediction, "result": told.result}],
    }
    _change(session, actor, row, ended, study=study)
    _move(session, actor, row, ended, "acting")


def _close(
    session: Session,
    actor: Actor,
    row: PDSACycle,
    told: CycleStory,
    *,
    next_cycle_id: uuid.UUID | None,
) -> None:
    ended = _at(told.ends_on)
    act: dict[str, Any] = {"decision": told.decision, "rationale": told.rationale}
    if next_cycle_id is not None:
        act["next_cycle_id"] = next_cycle_id
    else:
        act["no_next_reason"] = told.rationale
    if told.decision == "adopt":
        act["effective_on"] = told.ends_on
    _change(session, actor, row, ended, act=act)
    _move(session, actor, row, ended, "closed")
