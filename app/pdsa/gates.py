"""Which step follows which, which stage is open when, and what each step asks for."""

import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any

from pydantic import BaseModel

from app.kit.errors import pointer
from app.pdsa.models import CycleState, PDSACycle
from app.pdsa.stages import Act, DataPlan, Decision, Do, Plan, Study

STAGES: dict[str, type[BaseModel]] = {"plan": Plan, "do": Do, "study": Study, "act": Act}
OPEN_STAGE = {
    CycleState.PLANNED: "plan",
    CycleState.DOING: "do",
    CycleState.STUDYING: "study",
    CycleState.ACTING: "act",
}
STEPS: dict[CycleState, tuple[CycleState, ...]] = {
    CycleState.PLANNED: (CycleState.DOING, CycleState.CANCELLED),
    CycleState.DOING: (CycleState.STUDYING, CycleState.CANCELLED),
    CycleState.STUDYING: (CycleState.ACTING,),
    CycleState.ACTING: (CycleState.CLOSED,),
    CycleState.CLOSED: (),
    CycleState.CANCELLED: (),
}


def closed_stages(state: CycleState) -> tuple[str, ...]:
    """The stages that can be amended only; of what has ended, all."""
    names = tuple(STAGES)
    opened = OPEN_STAGE.get(state)
    return names if opened is None else names[: names.index(opened)]


def _empty(stage: str, part: BaseModel, *names: str) -> Iterator[str]:
    for name in names:
        if getattr(part, name) in (None, "", []):
            yield pointer(*stage.split("."), name)


def _planned(cycle: PDSACycle) -> Iterator[str]:
    plan = Plan.model_validate(cycle.plan)
    yield from _empty("plan", plan, "objective", "questions", "predictions", "test_scale")
    yield from _empty("plan", plan, "where", "when_start", "when_end", "who")
    for index, prediction in enumerate(plan.predictions):
        if prediction.because is None:
            yield pointer("plan", "predictions", index, "because")
    for index in range(max(1, len(plan.predictions)), len(plan.questions)):
        yield pointer("plan", "predictions", index)
    data = plan.data_plan or DataPlan()
    if data.measure_id is None and not data.observation:
        yield pointer("plan", "data_plan", "observation")
    yield from _empty("plan.data_plan", data, "who", "how", "when")


def _done(cycle: PDSACycle) -> Iterator[str]:
    do = Do.model_validate(cycle.do)
    yield from _empty("do", do, "carried_out", "actual_start", "observations")


def _studied(cycle: PDSACycle) -> Iterator[str]:
    study = Study.model_validate(cycle.study)
    yield from _empty("study", study, "analysis", "learning")
    judged = {result.prediction_id for result in study.results}
    for index, prediction in enumerate(Plan.model_validate(cycle.plan).predictions):
        if prediction.id not in judged:
            yield pointer("study", "results", index)


def _decided(cycle: PDSACycle) -> Iterator[str]:
    act = Act.model_validate(cycle.act)
    yield from _empty("act", act, "decision", "rationale")
    if act.next_cycle_id is None and not act.no_next_reason:
        yield pointer("act", "next_cycle_id")
    if act.decision is Decision.ADOPT:
        yield from _empty("act", act, "effective_on")


_GATES: dict[CycleState, Callable[[PDSACycle], Iterator[str]]] = {
    CycleState.DOING: _planned,
    CycleState.STUDYING: _done,
    CycleState.ACTING: _studied,
    CycleState.CLOSED: _decided,
}


def missing_before(cycle: PDSACycle, to: CycleState) -> list[str]:
    """JSON pointers to what the step asks for and the cycle lacks."""
    gate = _GATES.get(to)
    return [] if gate is None else list(gate(cycle))


def hash_of_predictions(plan: dict[str, Any]) -> str:
    """SHA-256 of the predictions as canonical JSON: members sorted, no spaces, UTF-8."""
    text = json.dumps(
        plan.get("predictions", []), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    return hashlib.sha256(text.encode()).hexdigest()
