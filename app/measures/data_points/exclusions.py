"""Excludes and includes several periods at once: one statement, one event, all of them or none."""

import uuid
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from app.access.actor import Actor
from app.access.permissions import Permission
from app.events import outbox
from app.events.catalogue import Resource, Verb, address_of
from app.kit.errors import FieldError, Invalid, pointer
from app.measures.actions import get_writable, touch_series
from app.measures.data_points.schemas import ExclusionCreate, ExclusionResult, InclusionCreate
from app.measures.models import DataPoint, Measure

_POINT: sa.Table = DataPoint.__table__  # type: ignore[attr-defined]
_CHANGED = ("excluded", "excluded_reason")


def exclude_data_points(
    session: Session, *, actor: Actor, measure_id: uuid.UUID, data: ExclusionCreate, now: datetime
) -> ExclusionResult:
    """Leave periods out of lines and rules. Raises `Invalid` for one that is not recorded."""
    values = {
        "excluded": True,
        "excluded_reason": data.reason,
        "excluded_by": actor.user_id,
        "excluded_at": now,
    }
    return _turn(session, actor=actor, measure_id=measure_id, data=data, values=values, now=now)


def include_data_points(
    session: Session, *, actor: Actor, measure_id: uuid.UUID, data: InclusionCreate, now: datetime
) -> ExclusionResult:
    """Take them back in. Raises `Invalid` for one that is not recorded."""
    values = {
        "excluded": False,
        "excluded_reason": None,
        "excluded_by": None,
        "excluded_at": None,
    }
    return _turn(session, actor=actor, measure_id=measure_id, data=data, values=values, now=now)


def _turn(
    session: Session,
    *,
    actor: Actor,
    measure_id: uuid.UUID,
    data: ExclusionCreate | InclusionCreate,
    values: dict[str, Any],
    now: datetime,
) -> ExclusionResult:
    measure = get_writable(
        session, actor=actor, measure_id=measure_id, permission=Permission.DATA_POINT_RECORD
    )
    rows = _rows(session, measure, data)
    differing = [row for row in rows if any(row[name] != values[name] for name in _CHANGED)]
    if differing:
        session.execute(
            sa.update(_POINT)
            .where(_POINT.c.id.in_([row["id"] for row in differing]))
            .values(**values, updated_at=now, revision=_POINT.c.revision + 1)
        )
        touch_series(session, measure, now=now)
        _record_event(session, actor, measure, data.stratum, differing, values, now)
    return ExclusionResult(changed=len(differing), unchanged=len(rows) - len(differing))


def _rows(session: Session, measure: Measure, data: ExclusionCreate | InclusionCreate) -> list[Any]:
    """The live points of the periods, locked until the end of the transaction."""
    statement = (
        sa.select(*(_POINT.c[name] for name in ("id", "period_start", *_CHANGED)))
        .where(
            _POINT.c.measure_id == measure.id,
            _POINT.c.stratum == data.stratum,
            _POINT.c.period_start.in_(data.periods),
            _POINT.c.archived_at.is_(None),
        )
        .order_by(_POINT.c.period_start)
        .with_for_update()
    )
    rows = list(session.execute(statement).mappings())
    recorded = {row["period_start"] for row in rows}
    _refuse_unrecorded(data.periods, recorded)
    return rows


def _refuse_unrecorded(periods: Sequence[date], recorded: set[date]) -> None:
    detail = "No data point of this stratum starts on that day."
    faults = [
        FieldError(code="not_recorded", detail=detail, pointer=pointer("periods", index))
        for index, day in enumerate(periods)
        if day not in recorded
    ]
    if faults:
        raise Invalid(detail, errors=faults)


def _record_event(
    session: Session,
    actor: Actor,
    measure: Measure,
    stratum: str,
    rows: Sequence[Any],
    values: dict[str, Any],
    now: datetime,
) -> None:
    """One event for all, with the measure's id as that of a batch; `changes` tells by period."""
    after = {name: values[name] for name in _CHANGED}
    outbox.record(
        session,
        noun=Resource.DATA_POINT,
        verb=Verb.EXCLUDED if values["excluded"] else Verb.INCLUDED,
        resource_id=measure.id,
        revision=measure.revision,
        programme_id=measure.programme_id,
        origin=actor.origin,
        now=now,
        parent_id=measure.id,
        project_id=measure.project_id,
        changes={
            str(row["period_start"]): ({name: row[name] for name in _CHANGED}, after)
            for row in rows
        },
        data={
            "url": f"{address_of(Resource.MEASURE, measure.id)}/data-points",
            "measure_id": measure.id,
            "stratum": stratum,
            "changed": len(rows),
            "from": rows[0]["period_start"],
            "to": rows[-1]["period_start"],
        },
    )
