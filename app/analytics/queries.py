"""Reads of stored series, as columns and not as objects: a fixed number of queries a chart."""

import hashlib
import uuid
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any, cast

import sqlalchemy as sa
from sqlmodel import Session, col

from app import spc
from app.access.actor import Actor, Place
from app.access.permissions import Permission
from app.access.queries import BY_LOGIN, BesideCaller
from app.access.scope import select_visible, visible_to
from app.analytics.drawing import draw
from app.analytics.schemas import HeadlineQuery, HeadlineRead, LatestPoint, SpcQuery
from app.kit.errors import NotFound
from app.kit.pagination import Page, Pager, order_by
from app.kit.prepared import Prepared
from app.measures.models import DataPoint, Family, Measure
from app.measures.series import AS_STORED, ChartSettings, Overrides, PointRow, assemble
from app.programmes.models import Programme
from app.programmes.queries import get_programme
from app.projects.models import Project
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


def _draw(row: Any, points: Sequence[PointRow], overrides: Overrides = AS_STORED) -> dict[str, Any]:
    """The document of one measure."""
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
    as_of = row.series_changed_at.isoformat().replace("+00:00", "Z")
    return draw(*assemble(stored, points, overrides), as_of=as_of)


def overrides_of(query: SpcQuery) -> Overrides:
    """What the request wants otherwise than stored."""
    if not query.model_fields_set:
        return AS_STORED
    values = query.model_dump(exclude={"stratum"}, exclude_none=True)
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

    def document(self) -> dict[str, Any]:
        """The SPC document of the points as they are now."""
        parameters = {"measure_id": self._row.measure_id, "stratum": self._query.stratum}
        points = _POINTS.all(self._connection, parameters)
        return _draw(self._row, cast(list[PointRow], points), overrides_of(self._query))


def measure_beside_caller(measure_id: uuid.UUID) -> BesideCaller:
    """The read of one measure for its chart, together with who asks for it."""
    parameters = {"measure_id": measure_id}
    return BesideCaller(_ONE_MEASURE, _ONE_MEASURE_BESIDE_CALLER, "measure_id", parameters)


def get_series(
    connection: sa.Connection, *, actor: Actor, row: Any, query: SpcQuery
) -> StoredSeries:
    """The series of a measure that was read by its key. Raises `NotFound`.

    The place is judged on the row: the statement is the same for every caller, compiled and planned
    once, and this is the hottest read of all.
    """
    if row is None or not actor.span(Permission.MEASURE_READ).covers(
        Place(row.owner_programme_id, row.owner_team_id)
    ):
        raise NotFound
    return StoredSeries(connection, row, query)


def _points_of(session: Session, measures: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[PointRow]]:
    """The live points of several measures, by one query."""
    statement = (
        sa.select(col(DataPoint.measure_id), *_POINT)
        .where(
            col(DataPoint.measure_id).in_(list(measures)),
            col(DataPoint.stratum) == "",
            col(DataPoint.archived_at).is_(None),
        )
        .order_by(col(DataPoint.measure_id), col(DataPoint.period_start))
    )
    rows = session.connection().execute(statement).all()
    return {
        measure_id: [PointRow(*row[1:]) for row in group]
        for measure_id, group in groupby(rows, key=lambda row: row[0])
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


def draw_project(session: Session, rows: Sequence[Any]) -> list[dict[str, Any]]:
    """The chart of each measure; one query for all their points."""
    points = _points_of(session, [row.measure_id for row in rows])
    return [
        {
            "measure_id": str(row.measure_id),
            "family": row.family.value,
            "is_headline": row.is_headline,
            "spc": _draw(row, points.get(row.measure_id, [])),
        }
        for row in rows
    ]


def _headlines(session: Session, projects: Sequence[uuid.UUID]) -> dict[uuid.UUID, Any]:
    """Each project's headline measure: the one marked, else the first outcome, else the first."""
    rank = sa.case(
        (col(Measure.is_headline), 0), (col(Measure.family) == Family.OUTCOME, 1), else_=2
    )
    statement = _MEASURE.where(
        col(Measure.project_id).in_(list(projects)), col(Measure.archived_at).is_(None)
    ).order_by(rank, col(Measure.position), col(Measure.id))
    headlines: dict[uuid.UUID, Any] = {}
    for row in session.connection().execute(statement):
        headlines.setdefault(row.project_id, row)
    return headlines


def _headline(project: Project, row: Any, points: Sequence[PointRow]) -> HeadlineRead:
    line = HeadlineRead(
        project_id=project.id,
        project_title=project.title,
        team_id=project.team_id,
        state=project.state,
        measure_id=None,
    )
    if row is None:
        return line
    line.measure_id, line.measure_name, line.unit = row.measure_id, row.name, row.unit
    document = _draw(row, points)
    line.chart, line.rule_set = document["chart"], document["settings"]["rule_set"]
    line.points, line.signals = len(points), len(document["signals"])
    line.variation, line.assurance = document["variation"], document["assurance"]
    if points:
        line.centre, line.target = (document["points"][-1][name] for name in ("centre", "target"))
    latest = next((p for p in reversed(document["points"]) if p["value"] is not None), None)
    line.latest = LatestPoint(x=latest["x"], value=latest["value"]) if latest else None
    return line


def list_headlines(
    session: Session, *, actor: Actor, programme_id: uuid.UUID, query: HeadlineQuery, pager: Pager
) -> Page[HeadlineRead]:
    """A page of a programme's live projects, each with its headline series in a line."""
    get_programme(session, actor=actor, programme_id=programme_id)
    statement = select_visible(actor, Project, Permission.MEASURE_READ).where(
        col(Project.programme_id) == programme_id, col(Project.archived_at).is_(None)
    )
    order = order_by([query.sort], {"title": Project.title}, default="title", last=Project.id)
    page: Page[Project] = pager.page(session, statement, query=query, order=order)
    headlines = _headlines(session, [project.id for project in page.items])
    points = _points_of(session, [row.measure_id for row in headlines.values()])

    def read(project: Project) -> HeadlineRead:
        row = headlines.get(project.id)
        return _headline(project, row, points.get(row.measure_id, []) if row is not None else [])

    return page.map(read)
