"""Reads what projects have attained: from the stored summaries, in a fixed number of queries."""

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, get_args
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session, col

from app.access.actor import Actor
from app.access.permissions import Permission
from app.access.scope import select_visible, visible_to
from app.analytics.summaries.queries import (
    Store,
    Summarised,
    headline_values,
    headlines_of,
    list_summaries,
)
from app.kit.filters import one_of
from app.kit.pagination import Page, Pager, order_by
from app.measures.models import Measure
from app.programmes.models import Programme
from app.programmes.queries import get_programme
from app.progress.results import schemas
from app.progress.results.attainment import Attainment, attainment_of
from app.progress.results.schemas import (
    NO_AIM,
    NO_CHART,
    AnalyticsQuery,
    AttainmentRead,
    PhaseCentre,
    ProgrammeAnalytics,
    ProjectAttainment,
    ProjectResult,
    ResultTotals,
)
from app.projects import aims
from app.projects.aims import Aim
from app.projects.models import Project
from app.projects.queries import get_project


class _Result(NamedTuple):
    """A project's headline, its aim, and the measure of the aim."""

    headline: Summarised | None = None
    aim: Aim | None = None
    measure: Summarised | None = None
    found: Attainment | None = None

    def of_headline(self, name: str) -> str:
        value = None if self.headline is None else self.headline.summary[name]
        return NO_CHART if value is None else str(value)

    @property
    def status(self) -> str:
        return NO_AIM if self.found is None else self.found.status


class _Summarised(NamedTuple):
    """Summaries by what they are looked up by."""

    headlines: Mapping[uuid.UUID, Summarised]
    measures: Mapping[uuid.UUID, Summarised]

    @classmethod
    def of(cls, listed: Sequence[Summarised]) -> "_Summarised":
        return cls(headlines_of(listed), {item.measure_id: item for item in listed})

    def measure_of(self, project_id: uuid.UUID, aim: Aim | None) -> Summarised | None:
        """The live measure that an aim names, if it is one of the project."""
        found = self.measures.get(aim.measure_id) if aim and aim.measure_id else None
        return found if found is not None and found.project_id == project_id else None


def _today(programme: Programme, now: datetime) -> date:
    return now.astimezone(ZoneInfo(programme.timezone)).date()


def _aim_of(stored: dict[str, Any] | None) -> Aim | None:
    return None if stored is None else Aim.model_validate(stored)


def _aimed_at(aims_: Iterable[Aim | None]) -> list[uuid.UUID]:
    return [aim.measure_id for aim in aims_ if aim is not None and aim.measure_id is not None]


def _phase(summary: Any, prefix: str) -> PhaseCentre | None:
    if summary[f"{prefix}_centre"] is None:
        return None
    return PhaseCentre(
        phase=summary[f"{prefix}_phase"],
        starts_on=summary[f"{prefix}_starts_on"],
        centre=summary[f"{prefix}_centre"],
        points=summary[f"{prefix}_points"],
    )


def _result(
    project_id: uuid.UUID, aim: Aim | None, summarised: _Summarised, *, today: date
) -> _Result:
    measure = summarised.measure_of(project_id, aim)
    found = attainment_of(
        aim,
        None if measure is None else measure.direction,
        None if measure is None else measure.summary,
        today=today,
    )
    return _Result(summarised.headlines.get(project_id), aim, measure, found)


def _read_attainment(result: _Result) -> AttainmentRead | None:
    found, aim = result.found, result.aim
    if found is None or aim is None or aim.target_value is None or aim.direction is None:
        return None
    measure = result.measure
    return AttainmentRead(
        status=found.status,
        attainment=found.share,
        attainment_lower=found.lower_share,
        attainment_upper=found.upper_share,
        direction=aim.direction,
        target=aim.target_value,
        by_when=aim.by_when,
        measure_id=None if measure is None else measure.measure_id,
        baseline=None if measure is None else _phase(measure.summary, "baseline"),
        current=None if measure is None else _phase(measure.summary, "current"),
        is_shifting=found.is_shifting,
    )


def get_project_attainment(
    session: Session, *, actor: Actor, project_id: uuid.UUID, store: Store, now: datetime
) -> ProjectAttainment:
    """The aim of one project. Raises `NotFound`."""
    project = get_project(
        session, actor=actor, project_id=project_id, permission=Permission.MEASURE_READ
    )
    aim = _aim_of(project.aim)
    listed = list_summaries(
        session,
        actor=actor,
        within=col(Measure.project_id) == project.id,
        besides=_aimed_at([aim]),
        store=store,
        now=now,
    )
    programme = session.get_one(Programme, project.programme_id)
    result = _result(project.id, aim, _Summarised.of(listed), today=_today(programme, now))
    return ProjectAttainment(
        project_id=project.id,
        aim_statement=aims.statement_of(aim),
        aim_missing=aims.missing_of(aim),
        attainment=_read_attainment(result),
    )


def _results(
    session: Session, *, actor: Actor, programme: Programme, store: Store, now: datetime
) -> dict[uuid.UUID, _Result]:
    """Every live project that the actor sees: two queries, and two and a write for what is new."""
    statement = visible_to(
        sa.select(col(Project.id), col(Project.aim)), actor, Project, Permission.MEASURE_READ
    ).where(col(Project.programme_id) == programme.id, col(Project.archived_at).is_(None))
    projects = {row[0]: _aim_of(row[1]) for row in session.execute(statement)}
    listed = list_summaries(
        session,
        actor=actor,
        within=col(Measure.programme_id) == programme.id,
        besides=_aimed_at(projects.values()),
        store=store,
        now=now,
    )
    summarised, today = _Summarised.of(listed), _today(programme, now)
    return {
        project_id: _result(project_id, aim, summarised, today=today)
        for project_id, aim in projects.items()
    }


def _counted(kinds: Any, found: Iterable[str]) -> dict[str, int]:
    """How many of each kind, those with none included."""
    counts = Counter(found)
    return {kind: counts[kind] for kind in get_args(kinds)} | counts


def _totals(results: Sequence[_Result]) -> ResultTotals:
    return ResultTotals(
        projects=len(results),
        variation=_counted(schemas.Variation, (item.of_headline("variation") for item in results)),
        assurance=_counted(
            schemas.AssuranceKind, (item.of_headline("assurance") for item in results)
        ),
        attainment=_counted(schemas.AttainmentKind, (item.status for item in results)),
    )


def _passes(result: _Result, query: AnalyticsQuery) -> bool:
    return (
        (not query.variation or result.of_headline("variation") in query.variation)
        and (not query.assurance or result.of_headline("assurance") in query.assurance)
        and (not query.attainment or result.status in query.attainment)
    )


def get_programme_analytics(
    session: Session,
    *,
    actor: Actor,
    programme_id: uuid.UUID,
    query: AnalyticsQuery,
    pager: Pager,
    store: Store,
    now: datetime,
) -> ProgrammeAnalytics:
    """A page of the projects that pass the filters, and the totals of all that the actor sees."""
    programme = get_programme(session, actor=actor, programme_id=programme_id)
    results = _results(session, actor=actor, programme=programme, store=store, now=now)
    statement = select_visible(actor, Project, Permission.MEASURE_READ).where(
        col(Project.programme_id) == programme.id,
        col(Project.archived_at).is_(None),
        *one_of(Project.state, query.state),
        *one_of(Project.team_id, query.team_id),
    )
    if query.variation or query.assurance or query.attainment:
        passing = [project_id for project_id, item in results.items() if _passes(item, query)]
        statement = statement.where(col(Project.id).in_(passing))
    order = order_by([query.sort], {"title": Project.title}, default="title", last=Project.id)
    page: Page[Project] = pager.page(session, statement, query=query, order=order)

    def line(project: Project) -> ProjectResult:
        # A project that was created since the results were read has none as yet.
        result = results.get(project.id, _Result())
        values = headline_values(project, result.headline)
        return ProjectResult(**values, attainment=_read_attainment(result))

    return ProgrammeAnalytics(
        programme_id=programme.id,
        totals=_totals(list(results.values())),
        **page.map(line).__dict__,
    )
