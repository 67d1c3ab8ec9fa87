"""Writes the document of a shared project: a fixed number of queries, columns and not objects."""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, TypeVar

import sqlalchemy as sa
from pydantic_core import to_json
from sqlmodel import Session, col

from app import spc
from app.measures.models import RATIO_TYPES, Annotation, DataPoint, Measure, Phase, PhaseStatus
from app.measures.series import recommended_chart
from app.pdsa.models import PDSACycle
from app.projects.models import Project
from app.sharing.models import Release
from app.sharing.numbers import holds_small_number
from app.sharing.shared.queries import aim_statement_of, programme_of, revision_of
from app.sharing.shared.schemas import (
    MAX_BYTES,
    MAX_CYCLES,
    MAX_MARKS,
    MAX_MEASURES,
    MAX_POINTS,
    SharedAnnotation,
    SharedCollection,
    SharedMeasure,
    SharedPhase,
)

_PROJECT = (
    *("id", "title", "problem", "rationale", "scope_in", "scope_out", "area", "tags", "start_on"),
    *("aim", "patient_involvement", "state", "paused_from", "stop_reason", "learning"),
)
_PARTS = frozenset({"collection", "rule_set", "phases", "annotations", "data_points"})
_MEASURE = tuple(name for name in SharedMeasure.model_fields if name not in _PARTS)
_PHASE = tuple(SharedPhase.model_fields)
_ANNOTATION = tuple(SharedAnnotation.model_fields)
_NUMBERS = ("value", "numerator", "denominator")
_POINT = (
    *("period_start", "period_end", "stratum", *_NUMBERS),
    *("status", "excluded", "excluded_reason", "note"),
)
Parts = list[dict[str, Any]]
Rows = dict[uuid.UUID, Parts]  # by measure
T = TypeVar("T")


class _Size:
    """Notes whether anything had to be cut, and how much room the texts have left."""

    def __init__(self, envelope: Any) -> None:
        self.is_complete = True
        self._room = MAX_BYTES - len(to_json(envelope))

    def cut(self, rows: Iterable[T], most: int) -> list[T]:
        """The rows without the one that was read over the limit."""
        found = list(rows)
        self.is_complete &= len(found) <= most
        return found[:most]

    def fit(self, parts: Iterable[T], *, share: int = 2) -> list[T]:
        """The first of them that fit; together they take no more than a share of the room left."""
        room, found = self._room // share, []
        for part in parts:
            size = len(to_json(part)) + 1  # and a comma
            if size > room:
                self.is_complete = False
                break
            room, self._room = room - size, self._room - size
            found.append(part)
        return found


def _of_measures(session: Session, entity: Any, project_id: uuid.UUID) -> sa.Select[Any]:
    return (
        sa.select(entity)
        .join(Measure, col(Measure.id) == entity.measure_id)
        .where(
            entity.project_id == project_id,
            entity.archived_at.is_(None),
            col(Measure.archived_at).is_(None),
        )
    )


def _by_measure(rows: Iterable[Any], names: tuple[str, ...], size: _Size) -> Rows:
    found: Rows = defaultdict(list)
    parts = ((row.measure_id, {name: getattr(row, name) for name in names}) for row in rows)
    for measure_id, part in size.fit(parts):
        found[measure_id].append(part)
    return found


def _phases(session: Session, project_id: uuid.UUID, size: _Size) -> Rows:
    statement = (
        _of_measures(session, Phase, project_id)
        .where(col(Phase.status) == PhaseStatus.APPROVED)
        .order_by(col(Phase.starts_on), col(Phase.id))
    )
    rows = session.scalars(statement.limit(MAX_MARKS + 1))
    return _by_measure(size.cut(rows, MAX_MARKS), _PHASE, size)


def _annotations(session: Session, project_id: uuid.UUID, size: _Size) -> Rows:
    statement = _of_measures(session, Annotation, project_id).order_by(
        col(Annotation.happened_on), col(Annotation.id)
    )
    rows = session.scalars(statement.limit(MAX_MARKS + 1))
    return _by_measure(size.cut(rows, MAX_MARKS), _ANNOTATION, size)


def _points(session: Session, project_id: uuid.UUID, size: _Size, *, shows_small: bool) -> Rows:
    """Of each measure from its first period on; what counts too few loses its numbers."""
    columns = [col(getattr(DataPoint, name)) for name in _POINT]
    statement = (
        sa.select(
            col(DataPoint.measure_id),
            col(Measure.data_type),
            holds_small_number().label("is_small"),
            *columns,
        )
        .join(Measure, col(Measure.id) == col(DataPoint.measure_id))
        .where(
            col(DataPoint.project_id) == project_id,
            col(DataPoint.archived_at).is_(None),
            col(Measure.archived_at).is_(None),
        )
        .order_by(
            col(Measure.position),
            col(Measure.id),
            col(DataPoint.stratum),
            col(DataPoint.period_start),
        )
    )
    found: Rows = defaultdict(list)
    for row in size.cut(session.execute(statement.limit(MAX_POINTS + 1)), MAX_POINTS):
        is_suppressed = bool(row.is_small) and not shows_small
        found[row.measure_id].append(_point(row) | {"is_suppressed": is_suppressed})
    for points in found.values():
        _suppress(points)
    return _fitted(found, size)


def _fitted(found: Rows, size: _Size) -> Rows:
    """What has room, the rest of it, once small numbers are gone."""
    kept: Rows = defaultdict(list)
    parts = ((measure_id, point) for measure_id, points in found.items() for point in points)
    for measure_id, point in size.fit(parts, share=1):
        kept[measure_id].append(point)
    return kept


def _point(row: Any) -> dict[str, Any]:
    point = dict(zip(_POINT, row[-len(_POINT) :], strict=True))
    if row.data_type in RATIO_TYPES:
        point["value"] = None  # that of its parts, which are there
    return point


def _suppress(points: list[dict[str, Any]]) -> None:
    """Take out small numbers, and the other strata of their period: the total would tell them."""
    told = {
        point["period_start"] for point in points if point["stratum"] and point["is_suppressed"]
    }
    for point in points:
        point["is_suppressed"] |= bool(point["stratum"]) and point["period_start"] in told
        if point["is_suppressed"]:
            point |= dict.fromkeys(_NUMBERS)


def _rule_set_of(
    measure: Measure, points: list[dict[str, Any]], programme_rule_set: str | None
) -> str | None:
    """The rule set that its chart is judged by, so that no other programme's takes its place."""
    values = (point["value"] for point in points if not point["stratum"])
    default = spc.default_rule_set(measure.chart or recommended_chart(measure.data_type, values))
    if measure.rule_set or default == "limits_only":
        return measure.rule_set
    return programme_rule_set if programme_rule_set and default != "anhoej" else default


def _parts(session: Session, row: Any, size: _Size) -> tuple[Parts, Parts]:
    """Measures and cycles; the points come last, for they may take all the room that is left."""
    project_id, release = row.Project.id, row.Release
    statement = (
        sa.select(Measure)
        .where(col(Measure.project_id) == project_id, col(Measure.archived_at).is_(None))
        .order_by(col(Measure.position), col(Measure.id))
    )
    rows = size.cut(session.scalars(statement.limit(MAX_MEASURES + 1)), MAX_MEASURES)
    measures = size.fit([_measure(measure) for measure in rows])
    phases = _phases(session, project_id, size)
    annotations = _annotations(session, project_id, size)
    cycles = _cycles(session, project_id, size)
    shows_small = bool(release.small_numbers.get("accepted"))
    points = _points(session, project_id, size, shows_small=shows_small)
    for measure, part in zip(rows, measures, strict=False):
        found = points.get(measure.id, [])
        part |= {
            "rule_set": _rule_set_of(measure, found, row.rule_set),
            "phases": phases.get(measure.id, []),
            "annotations": annotations.get(measure.id, []),
            "data_points": found,
        }
    return measures, cycles


def _measure(measure: Measure) -> dict[str, Any]:
    """Its own columns, with room for the name of a rule set; its parts come when they are cut."""
    parts = {"rule_set": "-" * 64, "phases": [], "annotations": [], "data_points": []}
    columns = {name: getattr(measure, name) for name in _MEASURE}
    return columns | {"collection": _collection(measure)} | parts


def _collection(measure: Measure) -> dict[str, Any] | None:
    stored = measure.collection
    return stored and {name: stored.get(name) for name in SharedCollection.model_fields}


def _cycles(session: Session, project_id: uuid.UUID, size: _Size) -> Parts:
    statement = (
        sa.select(PDSACycle)
        .where(col(PDSACycle.project_id) == project_id, col(PDSACycle.archived_at).is_(None))
        .order_by(col(PDSACycle.created_at), col(PDSACycle.id))
    )
    rows = session.scalars(statement.limit(MAX_CYCLES + 1))
    return size.fit(_cycle(cycle) for cycle in size.cut(rows, MAX_CYCLES))


def _cycle(cycle: PDSACycle) -> dict[str, Any]:
    """Its stages but for who, where and what was observed: those texts name people and places."""
    columns = (
        *("id", "ramp_id", "cycle_no", "title", "purpose", "state"),
        *("started_at", "studied_at", "closed_at"),
    )
    return {name: getattr(cycle, name) for name in columns} | {
        "objective": cycle.plan.get("objective"),
        "planned_start": cycle.plan.get("when_start"),
        "planned_end": cycle.plan.get("when_end"),
        "carried_out": cycle.do.get("carried_out"),
        "actual_start": cycle.do.get("actual_start"),
        "learning": cycle.study.get("learning"),
        "decision": cycle.act.get("decision"),
        "effective_on": cycle.act.get("effective_on"),
    }


def write_document(session: Session, row: Any, *, source: str) -> dict[str, Any]:
    """The document of a row of `find_shared`; it is in the form of `SharedProject`."""
    project: Project = row.Project
    release: Release = row.Release
    envelope: dict[str, Any] = {name: getattr(project, name) for name in _PROJECT} | {
        "aim_statement": aim_statement_of(project),
        "team": row.team,
        "programme": programme_of(row),
        "measures": [],
        "pdsa_cycles": [],
        "is_complete": False,
        "provenance": {
            "source": source,
            "project_id": project.id,
            "release_id": release.id,
            "audience": release.audience,
            "license": release.license,
            "released_at": release.released_at,
            "revision": revision_of(row),
            "small_numbers": "shown" if release.small_numbers.get("accepted") else "left_out",
        },
    }
    size = _Size(envelope)
    measures, cycles = _parts(session, row, size)
    return envelope | {
        "measures": measures,
        "pdsa_cycles": cycles,
        "is_complete": size.is_complete,
    }
