"""Reads for funnel plots: the measures of a programme that share a code, summed over periods."""

import uuid
from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col

from app.access.actor import Actor
from app.access.permissions import Permission
from app.access.scope import visible_to
from app.analytics.comparisons.drawing import printed, refusals, tag_of
from app.analytics.comparisons.schemas import FunnelQuery
from app.analytics.drawing import in_query
from app.kit.errors import FieldError, Invalid
from app.measures.models import RATIO_TYPES, SHARE_TYPES, DataPoint, Measure
from app.programmes.queries import get_programme
from app.projects.models import Project
from app.spc.funnel import funnel
from app.spc.units import FunnelSettings, Unit
from app.teams.models import Team


class MeasureCodeMissing(Invalid):
    """422: measures of different projects have nothing in common but the code of their teams."""

    code = "measure_code_missing"
    title = "Say which measures to compare: the code that they share."


class Incomparable(Invalid):
    """422: the measures of one code hold different things, or no ratios; the fault is in the data,

    but only another request can avoid it.
    """

    code = "incomparable"
    title = "The measures with this code cannot be compared."


_SHARED = (Measure.data_type, Measure.direction, Measure.multiplier, Measure.unit, Measure.name)
_MEASURES = (
    sa.select(
        *(
            col(column)
            for column in (Measure.id, Measure.series_revision, Measure.series_changed_at, *_SHARED)
        ),
        col(Project.id).label("project_id"),
        col(Project.title).label("project_title"),
        col(Team.id).label("team_id"),
        col(Team.name).label("team_name"),
    )
    .select_from(Measure)
    .join(Project, col(Project.id) == col(Measure.project_id))
    .outerjoin(Team, col(Team.id) == col(Project.team_id))
    .where(col(Measure.archived_at).is_(None), col(Project.archived_at).is_(None))
    .order_by(col(Project.title), col(Measure.id))
)


class Comparison(NamedTuple):
    """The measures of one code that the caller may read, each with its project and team."""

    programme_id: uuid.UUID
    query: FunnelQuery
    rows: Sequence[Any]

    @property
    def tag(self) -> str:
        """It changes with whatever the plot prints."""
        return tag_of(self.query.model_dump_json(), *(tuple(row) for row in self.rows))


def get_comparison(
    session: Session, *, actor: Actor, programme_id: uuid.UUID, query: FunnelQuery
) -> Comparison:
    """What of a programme is compared. Raises `NotFound`, `MeasureCodeMissing` and `Invalid`."""
    get_programme(session, actor=actor, programme_id=programme_id)
    if query.from_ is not None and query.to is not None and query.from_ > query.to:
        detail = f"The periods begin on {query.from_}; give a last day that is not before it."
        raise Invalid(detail, errors=[_fault("dates_out_of_order", detail, "to")])
    here = visible_to(_MEASURES, actor, Measure, Permission.MEASURE_READ).where(
        col(Measure.programme_id) == programme_id
    )
    if query.measure_code is None:
        raise _code_missing(session, here)
    rows = session.connection().execute(here.where(col(Measure.code) == query.measure_code)).all()
    return Comparison(programme_id, query, rows)


def _code_missing(session: Session, here: Any) -> MeasureCodeMissing:
    codes = here.with_only_columns(col(Measure.code)).order_by(None).distinct()
    found = session.connection().execute(codes.where(col(Measure.code).is_not(None)).limit(100))
    known: list[str] = sorted(found.scalars())
    detail = "No measure that you can see here has a code yet; give the same one to several."
    if known:
        detail = f"Give measure_code, such as {known[0]}."
    fault = _fault("missing", detail, "measure_code")
    return MeasureCodeMissing(detail, errors=[fault], extra={"codes": known})


def draw_programme_funnel(session: Session, comparison: Comparison) -> dict[str, Any]:
    """The funnel document: sums over the periods, each unit once. Raises `Unchartable`."""
    query, rows = comparison.query, comparison.rows
    kind = _kind(query, rows)
    units, is_homeless = _units(rows, _sums(session, comparison), query.by)
    differing = [name for name in ("direction", "multiplier", "unit") if len(_each(rows, name)) > 1]
    settings = FunnelSettings(
        kind=kind,  # type: ignore[arg-type]
        direction=query.direction or str(_common(rows, "direction") or "neutral"),  # type: ignore[arg-type]
        target=query.target,
        over_dispersion=query.over_dispersion,
        winsorise=query.winsorise,
        multiplier=query.multiplier or _common(rows, "multiplier") or 1.0,
        title=_common(rows, "name") or query.measure_code,
        unit=_common(rows, "unit"),
    )
    changed = [row.series_changed_at for row in rows]
    with refusals(in_query):
        document = funnel(units, settings, as_of=printed(max(changed)) if changed else None)
    document["quality"]["warnings"] += _warnings(differing, is_homeless)
    return document | {
        "selection": {
            "programme_id": str(comparison.programme_id),
            "measure_code": query.measure_code,
            "by": query.by,
            "from": query.from_ and query.from_.isoformat(),
            "to": query.to and query.to.isoformat(),
            "stratum": query.stratum,
            "measures": len(rows),
        }
    }


def _each(rows: Sequence[Any], name: str) -> set[Any]:
    return {getattr(row, name) for row in rows}


def _common(rows: Sequence[Any], name: str) -> Any:
    """What all measures have in common; None where they differ."""
    values = _each(rows, name)
    return values.pop() if len(values) == 1 else None


def _kind(query: FunnelQuery, rows: Sequence[Any]) -> str:
    types = _each(rows, "data_type")
    kinds = {"proportion" if found in SHARE_TYPES else "rate" for found in types & RATIO_TYPES}
    if types - RATIO_TYPES:
        detail = (
            "A funnel compares numerators over denominators, but some measures with this code hold "
            "single values; record those as proportion or rate, or compare another code."
        )
        raise Incomparable(detail, errors=[_fault("single_values", detail, "measure_code")])
    if len(kinds) > 1 and query.kind is None:
        detail = "Some measures with this code are proportions and some are rates; say kind=rate."
        raise Incomparable(detail, errors=[_fault("kinds_differ", detail, "kind")])
    return query.kind or (kinds.pop() if kinds else "proportion")


def _fault(code: str, detail: str, parameter: str) -> FieldError:
    return FieldError(code=code, detail=detail, parameter=parameter)


def _sums(session: Session, comparison: Comparison) -> dict[uuid.UUID, tuple[float, float]]:
    """Numerator and denominator of each measure over the periods, by one query.

    Excluded points, gaps and zero denominators stay out, as they do of every chart.
    """
    query = comparison.query
    statement = (
        sa.select(
            col(DataPoint.measure_id),
            sa.func.sum(col(DataPoint.numerator)),
            sa.func.sum(col(DataPoint.denominator)),
        )
        .where(
            col(DataPoint.measure_id).in_([row.id for row in comparison.rows]),
            col(DataPoint.stratum) == query.stratum,
            col(DataPoint.archived_at).is_(None),
            col(DataPoint.excluded).is_(False),
            col(DataPoint.numerator).is_not(None),
            col(DataPoint.denominator) > 0,
        )
        .group_by(col(DataPoint.measure_id))
    )
    if query.from_ is not None:
        statement = statement.where(col(DataPoint.period_start) >= query.from_)
    if query.to is not None:
        statement = statement.where(col(DataPoint.period_start) <= query.to)
    found = session.connection().execute(statement).all()
    return {row[0]: (row[1] or 0.0, row[2] or 0.0) for row in found}


def _units(
    rows: Sequence[Any], sums: dict[uuid.UUID, tuple[float, float]], by: str
) -> tuple[list[Unit], bool]:
    """The units in the order of their names, and whether a project without a team was left out."""
    totals: dict[tuple[str, str], list[float]] = {}
    is_homeless = False
    for row in rows:
        key = (row.team_name, row.team_id) if by == "team" else (row.project_title, row.project_id)
        if key[1] is None:
            is_homeless = True
            continue
        total = totals.setdefault((key[0], str(key[1])), [0.0, 0.0])
        for part, number in enumerate(sums.get(row.id, (0.0, 0.0))):
            total[part] += number
    units = [
        Unit(name, numerator, denominator, id=unit)
        for (name, unit), (numerator, denominator) in sorted(totals.items())
    ]
    return units, is_homeless


def _warnings(differing: Sequence[str], is_homeless: bool) -> list[dict[str, str]]:
    warnings = []
    if differing:
        detail = f"The measures differ in {', '.join(differing)}; state it, or mend the measures."
        warnings.append({"code": "settings_differ", "detail": detail})
    if is_homeless:
        detail = "Projects without a team are left out; compare by=project to see them."
        warnings.append({"code": "without_team", "detail": detail})
    return warnings
