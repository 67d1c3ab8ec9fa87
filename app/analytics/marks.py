"""Reads what people decided about series: phases, annotations, the starts of PDSA cycles.

One statement for a chart, and one for all charts of a page, however much there is to print.
"""

import uuid
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from app.kit.prepared import Prepared
from app.measures.marks import NO_MARKS, AnnotationRow, Marks
from app.measures.models import Annotation, Measure, Phase, PhaseStatus
from app.measures.series import PhaseRow
from app.pdsa.marks import KIND, started_on
from app.pdsa.models import PDSACycle

_NO_DAY = sa.cast(sa.null(), sa.Date)
_NO_TEXT = sa.cast(sa.null(), sa.Text)
_NO_NUMBER = sa.cast(sa.null(), sa.Integer)
_NO_JSON = sa.cast(sa.null(), sa.JSON)
_NO_INSTANT = sa.cast(sa.null(), sa.DateTime(timezone=True))
_PHASE = "phase"


def _text(column: Any) -> Any:
    return sa.cast(col(column), sa.Text)


def _statement(phases: Any, annotations: Any, cycles: Any) -> sa.CompoundSelect[Any]:
    """The marks that the clauses choose. Of a cycle, `owner` is the project, else the measure."""
    drawn = sa.select(
        sa.literal(_PHASE).label("mark"),
        col(Phase.measure_id).label("owner"),
        col(Phase.id).label("id"),
        col(Phase.starts_on).label("day"),
        _text(Phase.reason).label("kind"),
        _text(Phase.label).label("text"),
        col(Phase.baseline_points).label("number"),
        _NO_JSON.label("explains"),
        _NO_JSON.label("cycles"),
        _NO_TEXT.label("stated_on"),
        _NO_INSTANT.label("at"),
    ).where(phases, col(Phase.status) == PhaseStatus.APPROVED, col(Phase.archived_at).is_(None))
    noted = sa.select(
        sa.literal("annotation"),
        col(Annotation.measure_id),
        col(Annotation.id),
        col(Annotation.happened_on),
        _text(Annotation.kind),
        col(Annotation.text),
        _NO_NUMBER,
        col(Annotation.explains),
        col(Annotation.pdsa_cycle_ids),
        _NO_TEXT,
        _NO_INSTANT,
    ).where(annotations, col(Annotation.archived_at).is_(None))
    begun = sa.select(
        sa.literal("cycle"),
        col(PDSACycle.project_id),
        col(PDSACycle.id),
        _NO_DAY,
        sa.literal(KIND),
        _text(PDSACycle.title),
        _NO_NUMBER,
        _NO_JSON,
        _NO_JSON,
        sa.func.coalesce(
            col(PDSACycle.do)["actual_start"].as_string(),
            col(PDSACycle.plan)["when_start"].as_string(),
        ),
        col(PDSACycle.started_at),
    ).where(cycles, col(PDSACycle.started_at).is_not(None), col(PDSACycle.archived_at).is_(None))
    return sa.union_all(drawn, noted, begun)


_MEASURE = sa.bindparam("measure_id", type_=sa.Uuid)
_ITS_PROJECT = sa.select(col(Measure.project_id)).where(col(Measure.id) == _MEASURE)
_OF_ONE = Prepared(
    _statement(  # type: ignore[arg-type]
        col(Phase.measure_id) == _MEASURE,
        col(Annotation.measure_id) == _MEASURE,
        col(PDSACycle.project_id) == _ITS_PROJECT.scalar_subquery(),
    )
)


def _annotation(row: Any) -> AnnotationRow:
    day = row.day or started_on(row.stated_on, row.at)
    return AnnotationRow(str(row.id), row.kind, row.text, day, row.explains or (), row.cycles or ())


def _sorted_by_day(annotation: AnnotationRow) -> tuple[date, str]:
    return annotation.happened_on, annotation.id


def _marks(rows: Iterable[Any]) -> Marks:
    phases, annotations = [], []
    for row in rows:
        if row.mark == _PHASE:
            phases.append(PhaseRow(row.day, row.number, row.text, row.kind))
        else:
            annotations.append(_annotation(row))
    phases.sort(key=lambda phase: phase.starts_on)
    annotations.sort(key=_sorted_by_day)
    return Marks(phases, annotations)


def marks_of(connection: sa.Connection, measure_id: uuid.UUID) -> Marks:
    """The marks of one measure, by one query. The caller has checked access.

    `connection` is one of `Database.connect()`: nothing is begun on it.
    """
    rows = _OF_ONE.all(connection, {"measure_id": measure_id})
    return _marks(rows) if rows else NO_MARKS


def marks_of_all(
    connection: sa.Connection, projects: Mapping[uuid.UUID, uuid.UUID]
) -> dict[uuid.UUID, Marks]:
    """The marks of several measures, by one query; `projects` says whose each measure is."""
    statement = _statement(
        col(Phase.measure_id).in_(projects),
        col(Annotation.measure_id).in_(projects),
        col(PDSACycle.project_id).in_(set(projects.values())),
    )
    found: dict[uuid.UUID, list[Any]] = {}
    for row in connection.execute(statement):
        found.setdefault(row.owner, []).append(row)
    return {
        measure_id: _marks([*found.get(measure_id, ()), *found.get(project_id, ())])
        for measure_id, project_id in projects.items()
    }
