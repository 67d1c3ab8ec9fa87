"""Writes of measures."""

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import MISSING
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Session

from app.access import records
from app.access.actor import Actor
from app.access.permissions import Permission
from app.access.scope import refuse_archived
from app.events.catalogue import Resource, Verb
from app.kit.errors import Conflict, FieldError, Invalid, pointer
from app.kit.patching import column_values, patched_values
from app.kit.preconditions import Precondition
from app.measures import queries
from app.measures.charts import check_chart
from app.measures.models import Measure
from app.measures.schemas import MeasureBase, MeasureCreate, MeasurePatch
from app.projects.models import Project
from app.projects.queries import get_project, refuse_frozen

_REASON = "definition_change_reason"
_DEFINING = (
    "operational_definition",
    "numerator_definition",
    "denominator_definition",
    "unit",
    "multiplier",
)
_PRINTED = (
    "name",
    "data_type",  # decides the chart where none is stated
    "unit",
    "multiplier",
    "direction",
    "targets",
    "chart",
    "rule_set",
    "baseline_points",
)


class DataTypeFixed(Conflict):
    """409: the points that were recorded would no longer be points of this measure."""

    code = "data_type_fixed"
    title = "The data type cannot change once there are data; make another measure."


class DefinitionChangeReasonRequired(Invalid):
    """422: whoever reads the series must learn why it means something else from here on."""

    code = "definition_change_reason_required"
    title = "There are data: say in definition_change_reason why the definition changes."


def touch_series(session: Session, measure: Measure, *, now: datetime) -> None:
    """Note that what the chart prints has changed, in one statement beside the row's revision.

    The database adds the one: two writers at once must never give two states the same number.
    """
    table = Measure.__table__  # type: ignore[attr-defined]
    statement = (
        sa.update(table)
        .where(table.c.id == measure.id)
        .values(series_revision=table.c.series_revision + 1, series_changed_at=now)
        .returning(table.c.series_revision)
    )
    set_committed_value(measure, "series_revision", session.execute(statement).scalar_one())
    set_committed_value(measure, "series_changed_at", now)


def touch_project_series(session: Session, *, project_id: uuid.UUID, now: datetime) -> None:
    """The same for every measure of a project, where all their charts print what has changed."""
    table = Measure.__table__  # type: ignore[attr-defined]
    session.execute(
        sa.update(table)
        .where(table.c.project_id == project_id)
        .values(series_revision=table.c.series_revision + 1, series_changed_at=now)
    )


def _require(
    session: Session, *, actor: Actor, project_id: uuid.UUID, permission: Permission
) -> Project:
    project = get_project(
        session, actor=actor, project_id=project_id, permission=Permission.MEASURE_READ
    )
    actor.require(permission, project.place)
    return project


def get_writable(
    session: Session,
    *,
    actor: Actor,
    measure_id: uuid.UUID,
    permission: Permission = Permission.MEASURE_WRITE,
) -> Measure:
    """A measure whose parts the actor may write. Raises `NotFound`, `Forbidden` or `Archived`."""
    measure = queries.get_measure(session, actor=actor, measure_id=measure_id)
    project = _require(session, actor=actor, project_id=measure.project_id, permission=permission)
    refuse_archived(measure)
    refuse_frozen(session, project)
    return measure


def get_writable_project(
    session: Session,
    *,
    actor: Actor,
    project_id: uuid.UUID,
    permission: Permission = Permission.MEASURE_WRITE,
) -> Project:
    """A project whose measures the actor may write. Raises as `get_writable` does."""
    project = _require(session, actor=actor, project_id=project_id, permission=permission)
    refuse_frozen(session, project)
    return project


def _clear_headline(
    session: Session, *, actor: Actor, project_id: uuid.UUID, now: datetime
) -> None:
    for row in queries.list_headlines(session, project_id=project_id):
        records.keep_changes(
            session,
            actor=actor,
            noun=Resource.MEASURE,
            row=row,
            values={"is_headline": False},
            now=now,
        )


def create_measure(
    session: Session,
    *,
    actor: Actor,
    project_id: uuid.UUID,
    data: MeasureCreate,
    now: datetime,
) -> Measure:
    """A measure of a project; a headline takes the place of the one before."""
    project = _require(
        session, actor=actor, project_id=project_id, permission=Permission.MEASURE_WRITE
    )
    refuse_frozen(session, project)
    check_chart(data.chart, data.data_type)
    if data.is_headline:
        _clear_headline(session, actor=actor, project_id=project.id, now=now)
    row = Measure(
        programme_id=project.programme_id,
        project_id=project.id,
        series_changed_at=now,
        **column_values(data),
    )
    return records.keep_new(session, actor=actor, noun=Resource.MEASURE, row=row, now=now)


def _differing(row: Measure, values: dict[str, Any], names: tuple[str, ...]) -> list[str]:
    return [name for name in names if getattr(row, name) != values[name]]


def _check_definition(
    session: Session, row: Measure, values: dict[str, Any], reason: str | None
) -> dict[str, tuple[None, str]]:
    """Raise the version where data exist; the reason as it stands in the event."""
    is_retyped = row.data_type != values["data_type"]
    redefined = _differing(row, values, _DEFINING)
    if not (is_retyped or redefined) or not queries.has_data(session, measure_id=row.id):
        return {}
    if is_retyped:
        raise DataTypeFixed
    if not reason:
        faults = [
            FieldError(
                code=DefinitionChangeReasonRequired.code,
                detail=f"{' and '.join(redefined)} would change under recorded data.",
                pointer=pointer(_REASON),
            )
        ]
        raise DefinitionChangeReasonRequired(errors=faults)
    values["definition_version"] = row.definition_version + 1
    return {_REASON: (None, reason)}


def update_measure(
    session: Session,
    *,
    actor: Actor,
    measure_id: uuid.UUID,
    patch: MeasurePatch,
    condition: Precondition,
    now: datetime,
) -> Measure:
    """Merge the patch; under recorded data a definition changes only with its reason."""
    row = queries.get_measure(session, actor=actor, measure_id=measure_id)
    project = _require(
        session, actor=actor, project_id=row.project_id, permission=Permission.MEASURE_WRITE
    )
    condition.check(row.revision)
    refuse_archived(row)
    refuse_frozen(session, project)
    reason = None if patch.definition_change_reason is MISSING else patch.definition_change_reason
    stated = patch.model_copy(update={_REASON: MISSING})
    values = patched_values(MeasureBase, row, stated)
    check_chart(values["chart"], values["data_type"])
    also = _check_definition(session, row, values, reason)
    if values["is_headline"] and not row.is_headline:
        _clear_headline(session, actor=actor, project_id=row.project_id, now=now)
    if _differing(row, values, _PRINTED):
        touch_series(session, row, now=now)
    return records.keep_changes(
        session, actor=actor, noun=Resource.MEASURE, row=row, values=values, now=now, also=also
    )


def archive_measure(
    session: Session,
    *,
    actor: Actor,
    measure_id: uuid.UUID,
    condition: Precondition,
    now: datetime,
) -> None:
    """Hide it; its data points stay and cannot be written until it is restored."""
    row = queries.get_measure(session, actor=actor, measure_id=measure_id)
    project = _require(
        session, actor=actor, project_id=row.project_id, permission=Permission.MEASURE_WRITE
    )
    condition.check(row.revision, required=False)
    refuse_frozen(session, project)
    records.archive(session, actor=actor, noun=Resource.MEASURE, row=row, now=now)


def restore_measure(
    session: Session, *, actor: Actor, measure_id: uuid.UUID, now: datetime
) -> Measure:
    """Bring it back; it yields to a headline that was chosen meanwhile."""
    row = queries.get_measure(session, actor=actor, measure_id=measure_id)
    project = _require(
        session, actor=actor, project_id=row.project_id, permission=Permission.MEASURE_WRITE
    )
    refuse_frozen(session, project)
    headlines = queries.list_headlines(session, project_id=row.project_id)
    is_headline = row.is_headline and all(other.id == row.id for other in headlines)
    values = {"archived_at": None, "archived_by": None, "is_headline": is_headline}
    return records.keep_changes(
        session,
        actor=actor,
        noun=Resource.MEASURE,
        row=row,
        values=values,
        now=now,
        verb=Verb.RESTORED,
    )
