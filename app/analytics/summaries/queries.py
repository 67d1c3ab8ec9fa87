"""Reads summaries, never a stale one: what is behind is computed anew before it is returned."""

import itertools
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

import sqlalchemy as sa
from sqlmodel import Session, col

from app import spc
from app.access.actor import Actor
from app.access.permissions import Permission
from app.access.scope import select_visible, visible_to
from app.analytics.drawing import judge_each
from app.analytics.queries import HEADLINE_FIRST, assemble_many
from app.analytics.schemas import ChartFault
from app.analytics.summaries.figures import figures_of, fingerprint
from app.analytics.summaries.models import MeasureSummary
from app.analytics.summaries.schemas import (
    HeadlineQuery,
    HeadlineRead,
    LatestPoint,
    LatestSignal,
)
from app.kit.pagination import Page, Pager, order_by
from app.measures.models import Measure
from app.programmes.models import Programme
from app.programmes.queries import get_programme
from app.projects.models import Project

Summary = Mapping[str, Any]  # the columns of measure_summary by name
Store = Callable[[Sequence[Summary]], None]

_AT_ONCE = 5_000  # measures a statement: databases limit the parameters of one
_TABLE = MeasureSummary.__table__  # type: ignore[attr-defined]
_COLUMNS: list[str] = [column.name for column in _TABLE.columns]
_BLANK = {
    name: None if field.is_required() else field.get_default(call_default_factory=True)
    for name, field in MeasureSummary.model_fields.items()
}
_PLACE = sa.func.row_number().over(partition_by=col(Measure.project_id), order_by=HEADLINE_FIRST)
_MEASURES = (
    sa.select(
        col(Measure.id).label("subject_id"),
        col(Measure.project_id).label("subject_project_id"),
        col(Measure.name).label("subject_name"),
        col(Measure.unit).label("subject_unit"),
        col(Measure.direction).label("subject_direction"),
        col(Measure.series_revision).label("subject_revision"),
        col(Programme.rule_set).label("programme_rule_set"),
        _PLACE.label("place"),
    )
    .select_from(Measure)
    .join(Project, col(Project.id) == col(Measure.project_id))
    .join(Programme, col(Programme.id) == col(Measure.programme_id))
    .where(col(Measure.archived_at).is_(None), col(Project.archived_at).is_(None))
)


class Summarised(NamedTuple):
    """A live measure and what its chart says now."""

    measure_id: uuid.UUID
    project_id: uuid.UUID
    name: str
    unit: str | None
    direction: str
    is_headline: bool
    summary: Summary


def list_summaries(
    session: Session,
    *,
    actor: Actor,
    within: sa.ColumnElement[bool],
    besides: Collection[uuid.UUID] = (),
    store: Store,
    now: datetime,
) -> list[Summarised]:
    """The headline of each live project `within`, and the measures `besides`, if they are live.

    One query, and two and a write if any summary is behind.
    """
    ranked = visible_to(_MEASURES, actor, Measure, Permission.MEASURE_READ).where(within).subquery()
    statement = (
        sa.select(ranked, *_TABLE.columns)
        .select_from(ranked)
        .outerjoin(_TABLE, _TABLE.c.measure_id == ranked.c.subject_id)
        .where(sa.or_(ranked.c.place == 1, ranked.c.subject_id.in_(list(besides))))
    )
    rows = session.connection().execute(statement).all()
    behind = [row.subject_id for row in rows if _is_behind(row)]
    anew = _recompute(session, behind, now=now)
    if anew:
        store(list(anew.values()))
    return [
        Summarised(
            row.subject_id,
            row.subject_project_id,
            row.subject_name,
            row.subject_unit,
            row.subject_direction,
            row.place == 1,
            anew.get(row.subject_id, cast(Summary, row._mapping)),
        )
        for row in rows
    ]


def _is_behind(row: Any) -> bool:
    return bool(
        row.series_revision != row.subject_revision
        or row.fingerprint != fingerprint(row.programme_rule_set)
    )


def _recompute(
    session: Session, measures: Sequence[uuid.UUID], *, now: datetime
) -> dict[uuid.UUID, Summary]:
    """The summaries of these measures, computed in one batch."""
    anew: dict[uuid.UUID, Summary] = {}
    remaining = iter(measures)
    while chunk := list(itertools.islice(remaining, _AT_ONCE)):
        stored = assemble_many(session, chunk)
        judged = judge_each((item.series, item.settings) for _, item in stored)
        for (row, assembled), chart in zip(stored, judged, strict=True):
            anew[row.measure_id] = _BLANK | {
                "measure_id": row.measure_id,
                "programme_id": row.owner_programme_id,
                "series_revision": row.series_revision,
                "engine_version": spc.ENGINE_VERSION,
                "fingerprint": fingerprint(row.programme_rule_set),
                "computed_at": now,
                **figures_of(chart, assembled.settings),
            }
    return anew


def headlines_of(summarised: Iterable[Summarised]) -> dict[uuid.UUID, Summarised]:
    """The headlines by their project."""
    return {item.project_id: item for item in summarised if item.is_headline}


def headline_values(project: Project, headline: Summarised | None) -> dict[str, Any]:
    """The fields of a `HeadlineRead`."""
    values: dict[str, Any] = {
        "project_id": project.id,
        "project_title": project.title,
        "team_id": project.team_id,
        "state": project.state,
        "measure_id": None,
    }
    if headline is None:
        return values
    summary = headline.summary
    shared = HeadlineRead.model_fields.keys() & summary.keys() - {"measure_id", "latest_signals"}
    return values | {
        "measure_id": headline.measure_id,
        "measure_name": headline.name,
        "unit": headline.unit,
        **{name: summary[name] for name in shared},
        "latest": _latest(summary),
        "latest_signals": [
            LatestSignal.model_validate(signal) for signal in summary["latest_signals"]
        ],
        "fault": _fault(summary),
    }


def _latest(summary: Summary) -> LatestPoint | None:
    if summary["latest_on"] is None:
        return None
    return LatestPoint(x=summary["latest_on"], value=summary["latest_value"])


def _fault(summary: Summary) -> ChartFault | None:
    if summary["fault_code"] is None:
        return None
    return ChartFault(code=summary["fault_code"], detail=summary["fault_detail"])


def list_headlines(
    session: Session,
    *,
    actor: Actor,
    programme_id: uuid.UUID,
    query: HeadlineQuery,
    pager: Pager,
    store: Store,
    now: datetime,
) -> Page[HeadlineRead]:
    """A page of a programme's live projects, each with its headline series in a line."""
    get_programme(session, actor=actor, programme_id=programme_id)
    statement = select_visible(actor, Project, Permission.MEASURE_READ).where(
        col(Project.programme_id) == programme_id, col(Project.archived_at).is_(None)
    )
    order = order_by([query.sort], {"title": Project.title}, default="title", last=Project.id)
    page: Page[Project] = pager.page(session, statement, query=query, order=order)
    within = col(Measure.project_id).in_([project.id for project in page.items])
    summarised = list_summaries(session, actor=actor, within=within, store=store, now=now)
    headlines = headlines_of(summarised)
    return page.map(
        lambda project: HeadlineRead(**headline_values(project, headlines.get(project.id)))
    )
