"""Writes of single data points. Each moves the series of the measure, never its revision."""

import uuid
from datetime import date, datetime
from typing import Any

from pydantic import MISSING
from sqlmodel import Session

from app.access import records
from app.access.actor import Actor
from app.access.permissions import Permission
from app.access.scope import refuse_archived
from app.events.catalogue import Resource, Verb
from app.kit.patching import column_values, patched_values
from app.kit.preconditions import Precondition
from app.measures.actions import get_writable, touch_series
from app.measures.data_points import queries, shape
from app.measures.data_points.schemas import (
    DataPointBase,
    DataPointCreate,
    DataPointPatch,
    DataPointPut,
)
from app.measures.models import RATIO_TYPES, DataPoint, Measure, PointSource


def _writable(session: Session, *, actor: Actor, measure_id: uuid.UUID) -> Measure:
    return get_writable(
        session, actor=actor, measure_id=measure_id, permission=Permission.DATA_POINT_RECORD
    )


def _payload(measure_id: uuid.UUID) -> dict[str, str]:
    return {"measure_id": str(measure_id)}


def _verb(row: DataPoint, values: dict[str, Any]) -> Verb:
    """An exclusion is told apart from a correction: nothing that was measured changes."""
    changed = {name for name, new in values.items() if getattr(row, name) != new}
    if "excluded" not in changed or changed - {"excluded", "excluded_reason"}:
        return Verb.CORRECTED
    return Verb.EXCLUDED if values["excluded"] else Verb.INCLUDED


def _keep_new(
    session: Session, *, actor: Actor, measure: Measure, values: dict[str, Any], now: datetime
) -> DataPoint:
    row = DataPoint(
        programme_id=measure.programme_id,
        project_id=measure.project_id,
        measure_id=measure.id,
        source=PointSource.API,
        entered_by=actor.user_id,
        entered_at=now,
        **values,
        **shape.exclusion(None, values, by=actor.user_id, at=now),
    )
    records.keep_new(
        session,
        actor=actor,
        noun=Resource.DATA_POINT,
        row=row,
        now=now,
        verb=Verb.RECORDED,
        data=_payload(measure.id),
    )
    touch_series(session, measure, now=now)
    return row


def _keep_changes(
    session: Session,
    *,
    actor: Actor,
    measure: Measure,
    row: DataPoint,
    values: dict[str, Any],
    now: datetime,
) -> DataPoint:
    before = row.revision
    decided = shape.exclusion(row.model_dump(), values, by=actor.user_id, at=now)
    records.keep_changes(
        session,
        actor=actor,
        noun=Resource.DATA_POINT,
        row=row,
        values={**values, **decided},
        now=now,
        verb=_verb(row, values),
        data=_payload(measure.id),
    )
    if row.revision != before:
        touch_series(session, measure, now=now)
    return row


def record_data_point(
    session: Session, *, actor: Actor, measure_id: uuid.UUID, data: DataPointCreate, now: datetime
) -> DataPoint:
    """A new period. One that is recorded already is 409; PUT replaces it."""
    measure = _writable(session, actor=actor, measure_id=measure_id)
    values = shape.checked(measure.data_type, column_values(data))
    return _keep_new(session, actor=actor, measure=measure, values=values, now=now)


def put_data_point(
    session: Session,
    *,
    actor: Actor,
    measure_id: uuid.UUID,
    period_start: date,
    stratum: str,
    data: DataPointPut,
    condition: Precondition,
    now: datetime,
) -> tuple[DataPoint, bool]:
    """The period as stated, and whether it is new.

    New numbers are no judgement of an old exclusion: it stays until somebody states otherwise.
    """
    measure = _writable(session, actor=actor, measure_id=measure_id)
    row = queries.find_live(
        session, measure_id=measure.id, stratum=stratum, period_start=period_start
    )
    condition.check(None if row is None else row.revision)
    stated = {**column_values(data), "period_start": period_start, "stratum": stratum}
    if row is not None and "excluded" not in data.model_fields_set:
        stated |= {"excluded": row.excluded, "excluded_reason": row.excluded_reason}
    values = shape.checked(measure.data_type, stated)
    if row is None:
        return _keep_new(session, actor=actor, measure=measure, values=values, now=now), True
    kept = _keep_changes(session, actor=actor, measure=measure, row=row, values=values, now=now)
    return kept, False


def _found(
    session: Session, *, actor: Actor, data_point_id: uuid.UUID
) -> tuple[DataPoint, Measure]:
    row = queries.get_data_point(session, actor=actor, data_point_id=data_point_id)
    return row, _writable(session, actor=actor, measure_id=row.measure_id)


def update_data_point(
    session: Session,
    *,
    actor: Actor,
    data_point_id: uuid.UUID,
    patch: DataPointPatch,
    condition: Precondition,
    now: datetime,
) -> DataPoint:
    """Merge the patch; the values before stay in the event."""
    row, measure = _found(session, actor=actor, data_point_id=data_point_id)
    condition.check(row.revision)
    refuse_archived(row)
    merged = patched_values(DataPointBase, row, patch)
    if measure.data_type in RATIO_TYPES and patch.value is MISSING:
        merged["value"] = None  # that of the parts before the patch
    values = shape.checked(measure.data_type, merged)
    return _keep_changes(session, actor=actor, measure=measure, row=row, values=values, now=now)


def archive_data_point(
    session: Session,
    *,
    actor: Actor,
    data_point_id: uuid.UUID,
    condition: Precondition,
    now: datetime,
) -> None:
    """Take it out of the series."""
    row, measure = _found(session, actor=actor, data_point_id=data_point_id)
    condition.check(row.revision, required=False)
    if row.archived_at is None:
        records.archive(session, actor=actor, noun=Resource.DATA_POINT, row=row, now=now)
        touch_series(session, measure, now=now)


def restore_data_point(
    session: Session, *, actor: Actor, data_point_id: uuid.UUID, now: datetime
) -> DataPoint:
    """Put it back; 409 where the period was recorded again meanwhile."""
    row, measure = _found(session, actor=actor, data_point_id=data_point_id)
    if row.archived_at is not None:
        records.restore(session, actor=actor, noun=Resource.DATA_POINT, row=row, now=now)
        touch_series(session, measure, now=now)
    return row
