"""Reads of stored series, as columns and not as objects: a fixed number of queries a chart."""

import hashlib
import uuid
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple, cast

import sqlalchemy as sa
from sqlmodel import Session, col

from app import spc
from app.access.actor import Actor, Place
from app.access.permissions import Permission
from app.access.queries import BY_LOGIN, BesideCaller
from app.access.scope import visible_to
from app.analytics.drawing import document_of, draw, judge_each
from app.analytics.marks import marks_of, marks_of_all
from app.analytics.schemas import SpcQuery
from app.kit.errors import NotFound
from app.kit.prepared import Prepared
from app.measures.marks import AnnotationRow, Marks
from app.measures.models import DataPoint, Family, Measure
from app.measures.series import AS_STORED, ChartSettings, Overrides, PointRow, assemble
from app.programmes.models import Programme
from app.projects.models import Project, Visibility
from app.projects.queries import get_project

# What the drawing of a measure asks for, and whose it is.
_DRAWN: list[Any] = [
    col(Measure.id).label("measure_id"),
    *(
        col(column)
        for column in (
            Measure.series_revision,
            Measure.series_changed_at,
            Measure.data_type,
            Measure.direction,
            Measure.chart,
            Measure.rule_set,
            Measure.baseline_points,
            Measure.multiplier,
            Measure.targets,
            Measure.name,
            Measure.unit,
        )
    ),
    col(Project.programme_id).label("owner_programme_id"),
    col(Project.team_id).label("owner_team_id"),
    # As text: an enumeration is looked up for each row, and this is the hottest read.
    sa.type_coerce(col(Project.visibility), sa.String).label("owner_visibility"),
    col(Programme.rule_set).label("programme_rule_set"),
]
_LISTED: list[Any] = [
    col(Measure.project_id),
    col(Measure.family),
    col(Measure.is_headline),
]
_MEASURE = (
    sa.select(*_DRAWN, *_LISTED)
    .select_from(Measure)
    .join(Project, col(Project.id) == col(Measure.project_id))
    .join(Programme, col(Programme.id) == col(Measure.programme_id))
)
# A project's headline is the measure marked so, else the first outcome, else the first.
HEADLINE_FIRST: tuple[Any, ...] = (
    sa.case((col(Measure.is_headline), 0), (col(Measure.family) == Family.OUTCOME, 1), else_=2),
    col(Measure.position),
    col(Measure.id),
)
_BY_ID = col(Measure.id) == sa.bindparam("measure_id", type_=sa.Uuid)
_ONE_MEASURE = Prepared(_MEASURE.where(_BY_ID))
_ONE_MEASURE_BESIDE_CALLER = Prepared(
    BY_LOGIN.add_columns(*_DRAWN)
    .outerjoin(Measure, _BY_ID)
    .outerjoin(Project, col(Project.id) == col(Measure.project_id))
    .outerjoin(Programme, col(Programme.id) == col(Measure.programme_id))
)
_POINT: list[Any] = [
    col(column)
    for column in (
        DataPoint.period_start,
        DataPoint.value,
        DataPoint.numerator,
        DataPoint.denominator,
        DataPoint.excluded,
        DataPoint.note,
    )
]
_POINTS = Prepared(
    sa.select(*_POINT)
    .where(
        col(DataPoint.measure_id) == sa.bindparam("measure_id", type_=sa.Uuid),
        col(DataPoint.stratum) == sa.bindparam("stratum", type_=sa.String),
        col(DataPoint.archived_at).is_(None),
    )
    .order_by(col(DataPoint.period_start))
)


class Assembled(NamedTuple):
    """A stored series as the engine takes it, and what is printed beside its numbers."""

    series: spc.Series
    settings: spc.Settings
    annotations: Sequence[AnnotationRow]


def _assemble(
    row: Any, points: Sequence[PointRow], marks: Marks, overrides: Overrides = AS_STORED
) -> Assembled:
    stored = ChartSettings(
        data_type=row.data_type,
        direction=row.direction,
        chart=row.chart,
        rule_set=row.rule_set,
        programme_rule_set=row.programme_rule_set,
        baseline_points=row.baseline_points,
        multiplier=row.multiplier,
        targets=row.targets,
        title=row.name,
        unit=row.unit,
    )
    series, settings = assemble(stored, points, overrides, marks.phases)
    return Assembled(series, settings, marks.annotations)


def assemble_one(
    connection: sa.Connection, row: Any, stratum: str, overrides: Overrides
) -> Assembled:
    """The series of one measure as it is now: one query for its points, one for its marks."""
    parameters = {"measure_id": row.measure_id, "stratum": stratum}
    points = cast(list[PointRow], _POINTS.all(connection, parameters))
    return _assemble(row, points, marks_of(connection, row.measure_id), overrides)


def as_of(row: Any) -> str:
    """When anything that the chart of a measure prints last changed."""
    stamp: str = row.series_changed_at.isoformat()
    return stamp.replace("+00:00", "Z")


def _draw(row: Any, assembled: Assembled) -> dict[str, Any]:
    """The document of one measure."""
    series, settings, annotations = assembled
    return draw(series, settings, as_of=as_of(row), annotations=annotations)


def overrides_of(query: SpcQuery) -> Overrides:
    """What the request wants otherwise than stored."""
    if not query.model_fields_set:
        return AS_STORED
    # Not what a subclass adds, which is about the look of the chart.
    stated = SpcQuery.model_fields.keys() - {"stratum"}
    values = query.model_dump(include=stated, exclude_none=True)
    return Overrides(**values | {"phase_starts": tuple(query.phase_starts)})


@lru_cache(maxsize=1_000)  # most requests override nothing
def _digest(rule_set: str | None, stated: str) -> str:
    text = f"{spc.ENGINE_VERSION}|{rule_set}|{stated}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]


class StoredSeries:
    """A measure found and permitted, whose points are read only if its chart must be drawn."""

    def __init__(self, connection: sa.Connection, row: Any, query: SpcQuery) -> None:
        self._connection, self._row, self._query = connection, row, query

    @property
    def tag(self) -> str:
        """The entity tag: the series' revision, and a digest of all else that the chart prints."""
        stated = self._query.model_dump_json() if self._query.model_fields_set else ""
        return f"{self._row.series_revision}-{_digest(self._row.programme_rule_set, stated)}"

    @property
    def as_of(self) -> str:
        """When anything that the chart prints last changed."""
        return as_of(self._row)

    def assembled(self) -> Assembled:
        """The points as they are now, and how they are to be charted."""
        overrides = overrides_of(self._query)
        return assemble_one(self._connection, self._row, self._query.stratum, overrides)

    def document(self) -> dict[str, Any]:
        """The SPC document of the points as they are now."""
        return _draw(self._row, self.assembled())


def measure_beside_caller(measure_id: uuid.UUID) -> BesideCaller:
    """The read of one measure for its chart, together with who asks for it."""
    parameters = {"measure_id": measure_id}
    return BesideCaller(_ONE_MEASURE, _ONE_MEASURE_BESIDE_CALLER, "measure_id", parameters)


def _check_visible(actor: Actor, row: Any) -> None:
    if row is None or not actor.span(Permission.MEASURE_READ).covers(
        Place(row.owner_programme_id, row.owner_team_id),
        is_released=row.owner_visibility != Visibility.TEAM,
    ):
        raise NotFound


def get_series(
    connection: sa.Connection, *, actor: Actor, row: Any, query: SpcQuery
) -> StoredSeries:
    """The series of a measure that was read by its key. Raises `NotFound`.

    The place is judged on the row: the statement is the same for every caller, compiled and planned
    once, and this is the hottest read of all.
    """
    _check_visible(actor, row)
    return StoredSeries(connection, row, query)


def get_measure_row(connection: sa.Connection, *, actor: Actor, measure_id: uuid.UUID) -> Any:
    """What drawing a measure asks for. Raises `NotFound`."""
    row = next(iter(_ONE_MEASURE.all(connection, {"measure_id": measure_id})), None)
    _check_visible(actor, row)
    return row


# As text: making a UUID of it for each point takes as long as all the rest of the row (measured).
_POINTS_OF_MEASURES = sa.select(sa.cast(col(DataPoint.measure_id), sa.String), *_POINT).order_by(
    col(DataPoint.measure_id), col(DataPoint.period_start)
)


def _points_of(session: Session, measures: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[PointRow]]:
    """The live points of several measures, by one query."""
    statement = _POINTS_OF_MEASURES.where(
        col(DataPoint.measure_id).in_(list(measures)),
        col(DataPoint.stratum) == "",
        col(DataPoint.archived_at).is_(None),
    )
    rows = session.connection().execute(statement).all()
    return {
        uuid.UUID(measure_id): [cast(PointRow, row[1:]) for row in group]
        for measure_id, group in groupby(rows, key=itemgetter(0))
    }


def list_project_series(
    session: Session, *, actor: Actor, project_id: uuid.UUID
) -> tuple[str, list[Any]]:
    """The measures of a project in their order, and the entity tag of all their charts."""
    get_project(session, actor=actor, project_id=project_id, permission=Permission.MEASURE_READ)
    statement = visible_to(_MEASURE, actor, Measure, Permission.MEASURE_READ)
    statement = statement.where(
        col(Measure.project_id) == project_id, col(Measure.archived_at).is_(None)
    ).order_by(col(Measure.position), col(Measure.id))
    rows = list(session.connection().execute(statement).all())
    stated = [
        f"{row.measure_id}:{row.series_revision}:{row.family}:{row.is_headline}"
        f":{row.programme_rule_set}"
        for row in rows
    ]
    digest = hashlib.sha256("|".join([spc.ENGINE_VERSION, *stated]).encode()).hexdigest()
    return digest[:24], rows


def draw_each(session: Session, rows: Sequence[Any]) -> list[dict[str, Any] | spc.SpcError]:
    """The document of each of these measures, in their order: two queries for all of them.

    In the place of one that cannot be charted stands the engine's refusal: it spoils no other.
    """
    assembled = _assemble_rows(session, rows)
    judged = judge_each((item.series, item.settings) for item in assembled)
    return [
        chart
        if isinstance(chart, spc.SpcError)
        else document_of(chart, as_of=as_of(row), annotations=item.annotations)
        for row, item, chart in zip(rows, assembled, judged, strict=True)
    ]


def draw_project(session: Session, rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Each measure with its chart."""
    return [
        {
            "measure_id": str(row.measure_id),
            "family": row.family.value,
            "is_headline": row.is_headline,
            **_drawn(document),
        }
        for row, document in zip(rows, draw_each(session, rows), strict=True)
    ]


def _drawn(document: dict[str, Any] | spc.SpcError) -> dict[str, Any]:
    if isinstance(document, spc.SpcError):
        return {"spc": None, "fault": {"code": document.code, "detail": document.detail}}
    return {"spc": document, "fault": None}


def assemble_many(session: Session, measures: Sequence[uuid.UUID]) -> list[tuple[Any, Assembled]]:
    """Series of several measures as they are stored, each with the measure's row: two queries.

    The caller has checked access. The row with the revision is read before all else, which is
    never older than it says.
    """
    statement = _MEASURE.where(col(Measure.id).in_(list(measures)))
    rows = session.connection().execute(statement).all()
    return list(zip(rows, _assemble_rows(session, rows), strict=True))


def _assemble_rows(session: Session, rows: Sequence[Any]) -> list[Assembled]:
    """One query for all their points, one for all their marks."""
    projects = {row.measure_id: row.project_id for row in rows}
    points, marks = _points_of(session, projects), marks_of_all(session.connection(), projects)
    return [_assemble(row, points.get(row.measure_id, []), marks[row.measure_id]) for row in rows]


def find_headline_rows(session: Session, projects: Sequence[uuid.UUID]) -> dict[uuid.UUID, Any]:
    """The measure that stands for each project, if it has one. The caller has checked access."""
    statement = _MEASURE.where(
        col(Measure.project_id).in_(list(projects)), col(Measure.archived_at).is_(None)
    ).order_by(*HEADLINE_FIRST)
    headlines: dict[uuid.UUID, Any] = {}
    for row in session.connection().execute(statement):
        headlines.setdefault(row.project_id, row)
    return headlines
