"""Records many data points in one transaction: all of them, or none and every fault."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from app.access.actor import Actor
from app.access.permissions import Permission
from app.events import outbox
from app.events.catalogue import Resource, Verb, address_of
from app.kit.errors import Invalid
from app.kit.ids import new_id
from app.kit.upsert import insert_for
from app.measures.actions import get_writable, touch_series
from app.measures.data_points import shape
from app.measures.data_points.batches import BatchMode, DataPointBatchResult
from app.measures.data_points.planning import (
    FIELDS,
    Key,
    Plan,
    Stored,
    Update,
    plan_batch,
)
from app.measures.data_points.reading import Batch
from app.measures.models import DataPoint, Measure, PointSource

_POINT: sa.Table = DataPoint.__table__  # type: ignore[attr-defined]
_KEY = ("measure_id", "stratum", "period_start")
_BY_WHOM = ("excluded_by", "excluded_at")
_READ = ("id", "measure_id", "revision", "stratum", "period_start", *_BY_WHOM, *FIELDS)
_SPREAD = 4  # how many combinations of strata and days may be looked up for one that is asked for
_IDS_AT_ONCE = 500  # databases limit the parameters of a statement


def record_data_points(
    session: Session, *, actor: Actor, measure_id: uuid.UUID, batch: Batch, now: datetime
) -> DataPointBatchResult:
    """Write a batch, or with `dry_run` only count. Raises `Invalid` with every fault of every row.

    What does not differ is not touched. One event tells of the whole batch.
    """
    measure = get_writable(
        session, actor=actor, measure_id=measure_id, permission=Permission.DATA_POINT_RECORD
    )
    return keep_data_points(session, actor=actor, measure=measure, batch=batch, now=now)


def keep_data_points(
    session: Session, *, actor: Actor, measure: Measure, batch: Batch, now: datetime
) -> DataPointBatchResult:
    """The same for a measure that the caller has found to be writable."""
    lock_series(session, [measure.id])
    plan = plan_batch(batch, read_stored(session, measure.id), measure.data_type)
    if batch.faults:
        raise Invalid(f"Faults: {len(batch.faults)}; nothing was written.", errors=batch.faults)
    if not batch.options.dry_run:
        write_plan(
            session, actor=actor, measure=measure, plan=plan, mode=batch.options.mode, now=now
        )
    return DataPointBatchResult(
        created=len(plan.created),
        updated=len(plan.updated),
        unchanged=plan.unchanged,
        archived=len(plan.archived),
        excluded=plan.excluded(),
        exclusions_ended=plan.exclusions_ended(),
        dry_run=batch.options.dry_run,
    )


def lock_series(session: Session, measure_ids: Collection[uuid.UUID]) -> None:
    """Two batches for one measure follow each other (SQLite has one writer).

    In the order of their ids, so that two batches for the same measures never wait for each other.
    """
    table = Measure.__table__  # type: ignore[attr-defined]
    wanted = sa.select(table.c.id).where(table.c.id.in_(measure_ids)).order_by(table.c.id)
    session.execute(wanted.with_for_update())


def read_stored(session: Session, measure_id: uuid.UUID) -> list[Stored]:
    """All live points of a measure."""
    return [row._asdict() for row in session.execute(_select_live([measure_id]))]


def read_stored_at(
    session: Session, asked: Mapping[uuid.UUID, Collection[Key]]
) -> dict[uuid.UUID, list[Stored]]:
    """The live points of some periods of some measures, a few hundred at most.

    By measures, strata and days, for which the index serves; SQLite reads all of a measure to find
    pairs. Where few of the combinations are asked for, a measure at a time.
    """
    found: dict[uuid.UUID, list[Stored]] = {measure_id: [] for measure_id in asked}
    strata, days = _spread([key for keys in asked.values() for key in keys])
    count = sum(len(keys) for keys in asked.values())
    if not count:
        statements: list[sa.Select[Any]] = []
    elif len(asked) * len(strata) * len(days) <= _SPREAD * count:
        statements = [_select_at(list(asked), strata, days)]
    else:
        statements = [
            statement
            for measure_id, keys in asked.items()
            for statement in _selects_of(measure_id, keys)
        ]
    for statement in statements:
        for row in session.execute(statement):
            found[row.measure_id].append(row._asdict())
    return found


def _spread(keys: Collection[Key]) -> tuple[set[str], set[date]]:
    return {stratum for stratum, _ in keys}, {day for _, day in keys}


def _selects_of(measure_id: uuid.UUID, keys: Collection[Key]) -> Iterator[sa.Select[Any]]:
    """The same of one measure; where few combinations are asked for, a stratum at a time."""
    strata, days = _spread(keys)
    if len(strata) * len(days) <= _SPREAD * len(keys):
        yield _select_at([measure_id], strata, days)
        return
    days_of: dict[str, set[date]] = defaultdict(set)
    for stratum, day in keys:
        days_of[stratum].add(day)
    for stratum, some in days_of.items():
        yield _select_at([measure_id], {stratum}, some)


def _select_at(
    measure_ids: Collection[uuid.UUID], strata: Collection[str], days: Collection[date]
) -> sa.Select[Any]:
    return _select_live(measure_ids).where(
        _POINT.c.stratum.in_(strata), _POINT.c.period_start.in_(days)
    )


def _select_live(measure_ids: Collection[uuid.UUID]) -> sa.Select[Any]:
    return sa.select(*(_POINT.c[name] for name in _READ)).where(
        _POINT.c.measure_id.in_(measure_ids), _POINT.c.archived_at.is_(None)
    )


def write_plan(
    session: Session, *, actor: Actor, measure: Measure, plan: Plan, mode: BatchMode, now: datetime
) -> None:
    """The rows of a plan, the series' next revision, and one event that tells of all of it."""
    if plan:
        _write(session, actor=actor, measure=measure, plan=plan, mode=mode, now=now)
        touch_series(session, measure, now=now)
        _record_event(session, actor=actor, measure=measure, plan=plan, now=now)


def _write(
    session: Session, *, actor: Actor, measure: Measure, plan: Plan, mode: BatchMode, now: datetime
) -> None:
    _archive(session, actor=actor, ids=plan.archived_ids(), now=now)
    entered = {
        "programme_id": measure.programme_id,
        "project_id": measure.project_id,
        "measure_id": measure.id,
        "source": PointSource.IMPORT,
        "entered_by": actor.user_id,
        "entered_at": now,
        "created_by": actor.user_id,
        "created_at": now,
        "updated_at": now,
        "revision": 1,
    }
    rows = [
        {
            **entered,
            **values,
            **shape.exclusion(None, values, by=actor.user_id, at=now),
            "id": new_id(),
        }
        for values in plan.created
    ]
    rows += [
        {
            **entered,
            **update.after,
            **shape.exclusion(update.before, update.after, by=actor.user_id, at=now),
            "id": new_id(),  # for the statement's sake: the stored row keeps its own
        }
        for update in plan.updated
    ]
    if rows:
        # Many executions of one statement: a single one of many VALUES is several times slower.
        session.execute(_statement(session, mode), rows)


def _statement(session: Session, mode: BatchMode) -> Any:
    insert = insert_for(session.connection(), _POINT)
    if mode is BatchMode.INSERT:
        return insert  # a period that somebody recorded meanwhile is 409
    return insert.on_conflict_do_update(
        index_elements=_KEY,
        index_where=_POINT.c.archived_at.is_(None),
        set_={
            **{name: insert.excluded[name] for name in (*FIELDS, *_BY_WHOM, "updated_at")},
            "revision": _POINT.c.revision + 1,
        },
    )


def _archive(session: Session, *, actor: Actor, ids: list[uuid.UUID], now: datetime) -> None:
    for start in range(0, len(ids), _IDS_AT_ONCE):
        session.execute(
            sa.update(_POINT)
            .where(_POINT.c.id.in_(ids[start : start + _IDS_AT_ONCE]))
            .values(
                archived_at=now,
                archived_by=actor.user_id,
                updated_at=now,
                revision=_POINT.c.revision + 1,
            )
        )


def _label(row: Stored) -> str:
    """How a point is named in the event: its period, and its stratum where it has one."""
    day = str(row["period_start"])
    return f"{day}/{row['stratum']}" if row["stratum"] else day


def _change(update: Update) -> tuple[dict[str, Any], dict[str, Any]]:
    return (
        {name: update.before[name] for name in update.changed},
        {name: update.after[name] for name in update.changed},
    )


def _record_event(
    session: Session, *, actor: Actor, measure: Measure, plan: Plan, now: datetime
) -> None:
    """One event for the batch: thousands would bury what else happened to the measure.

    It stands for the measure's points as a whole, so it bears the measure's id. `changes` keeps by
    period what was overwritten, and what an archived point held.
    """
    days = plan.days()
    changes: dict[str, tuple[Any, Any]] = {
        _label(update.before): _change(update) for update in plan.updated
    }
    changes |= {_label(row): ({name: row[name] for name in FIELDS}, None) for row in plan.archived}
    outbox.record(
        session,
        noun=Resource.DATA_POINT,
        verb=Verb.RECORDED,
        resource_id=measure.id,
        revision=measure.revision,
        programme_id=measure.programme_id,
        origin=actor.origin,
        now=now,
        parent_id=measure.id,
        project_id=measure.project_id,
        changes=changes,
        data={
            "url": f"{address_of(Resource.MEASURE, measure.id)}/data-points",
            "measure_id": str(measure.id),
            "created": len(plan.created),
            "updated": len(plan.updated),
            "archived": len(plan.archived),
            "excluded": plan.excluded(),
            "exclusions_ended": plan.exclusions_ended(),
            "from": min(days).isoformat(),
            "to": max(days).isoformat(),
        },
    )
