"""What the stages of a cycle refer to: measures, data points, the next cycle, predictions."""

import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlmodel import Session

from app.access.actor import Actor
from app.kit.errors import Invalid, ReferenceNotFound
from app.kit.ids import new_id
from app.measures.models import DataPoint, Measure
from app.pdsa import queries
from app.pdsa.models import PDSACycle
from app.pdsa.queries import Referred


class Reference(NamedTuple):
    """An identifier, what it is of, and where it stands."""

    entity: Referred
    row_id: uuid.UUID
    steps: tuple[str | int, ...]


def _in_plan(plan: dict[str, Any]) -> Iterator[Reference]:
    for index, prediction in enumerate(plan.get("predictions", [])):
        if prediction["measure_id"] is not None:
            steps = ("plan", "predictions", index, "measure_id")
            yield Reference(Measure, uuid.UUID(prediction["measure_id"]), steps)
    data = plan.get("data_plan") or {}
    if data.get("measure_id") is not None:
        yield Reference(Measure, uuid.UUID(data["measure_id"]), ("plan", "data_plan", "measure_id"))


def _in_study(study: dict[str, Any]) -> Iterator[Reference]:
    for index, point_id in enumerate(study.get("data_point_ids", [])):
        yield Reference(DataPoint, uuid.UUID(point_id), ("study", "data_point_ids", index))


def _in_act(act: dict[str, Any]) -> Iterator[Reference]:
    if act.get("next_cycle_id") is not None:
        yield Reference(PDSACycle, uuid.UUID(act["next_cycle_id"]), ("act", "next_cycle_id"))


_REFERENCES = {"plan": _in_plan, "study": _in_study, "act": _in_act}


def check_references(
    session: Session, *, actor: Actor, cycle: PDSACycle, stage: str, content: dict[str, Any]
) -> None:
    """What is new must be live and of the same project; what stood there before may be archived.

    Raises `ReferenceNotFound` with a pointer.
    """
    find = _REFERENCES.get(stage)
    if find is None:
        return
    known = {reference.row_id for reference in find(getattr(cycle, stage))}
    added = [reference for reference in find(content) if reference.row_id not in known]
    if not added:
        return
    found = queries.find_in_project(
        session,
        actor=actor,
        project_id=cycle.project_id,
        entity=added[0].entity,
        ids={reference.row_id for reference in added},
    ) - {cycle.id}
    for reference in added:
        if reference.row_id not in found:
            raise ReferenceNotFound.in_field(*reference.steps)


def identify_predictions(plan: dict[str, Any], *, known: set[str]) -> None:
    """Give new predictions their identifiers; the old ones keep theirs. Changes the plan."""
    left = set(known)
    for index, prediction in enumerate(plan["predictions"]):
        if prediction["id"] is None:
            prediction["id"] = str(new_id())
        elif prediction["id"] in left:
            left.remove(prediction["id"])
        else:
            raise Invalid.at(
                "plan",
                "predictions",
                index,
                "id",
                code="unknown_prediction",
                detail="Leave the id out for a new prediction; each one stands once.",
            )


def prediction_ids(plan: dict[str, Any]) -> set[str]:
    """The identifiers of a plan's predictions."""
    return {prediction["id"] for prediction in plan.get("predictions", [])}


def check_results(plan: dict[str, Any], study: dict[str, Any]) -> None:
    """Each result judges another prediction of the plan. Raises `Invalid` with a pointer."""
    left = prediction_ids(plan)
    for index, result in enumerate(study["results"]):
        if result["prediction_id"] not in left:
            raise Invalid.at(
                "study",
                "results",
                index,
                "prediction_id",
                code="unknown_prediction",
                detail="Name a prediction of the plan, each once.",
            )
        left.remove(result["prediction_id"])
