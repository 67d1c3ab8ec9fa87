"""The statements that find and take due jobs, built once for the kinds that a worker runs.

They run many times a second; building one anew costs more than running it (measured).
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from app.jobs.kinds import Kind
from app.jobs.models import Job

JOB: sa.Table = Job.__table__  # type: ignore[attr-defined]
_TAKEN = (JOB.c.id, JOB.c.kind, JOB.c.lane, JOB.c.args, JOB.c.attempt, JOB.c.created_at)
_SCANNED_PER_JOB, _SCANNED = 20, 200  # due rows that are looked at, so that one lane hides no other
_NOW = sa.bindparam("now", type_=sa.BigInteger)


def server_clock() -> sa.ColumnElement[int]:
    """PostgreSQL's present in Unix ms, so that no other clock can shorten a lease."""
    seconds = sa.extract("epoch", sa.func.statement_timestamp())
    return sa.cast(seconds * 1000, sa.BigInteger)


def parameters(
    *, now: int | None, limit: int, busy: Mapping[str, int], lease: str, worker: str
) -> dict[str, Any]:
    """What the statements of a claim ask for. now: must be given on SQLite."""
    return {
        "now": now,
        "limit": limit,
        "scanned": max(_SCANNED_PER_JOB * limit, _SCANNED),
        "busy": json.dumps(busy),
        "lease": lease,
        "worker": worker,
    }


class Claim(NamedTuple):
    """pick: ids of the oldest due jobs, none of a lane beyond its cap; the lane '' has none.

    take: makes them ours. On SQLite those of `ids`; elsewhere it picks and locks by itself.
    """

    pick: sa.Select[Any]
    take: Any


@lru_cache(maxsize=64)
def claim_of(kinds: Sequence[Kind], *, is_sqlite: bool) -> Claim:
    """How to claim jobs of these kinds, which share a queue."""
    present = _NOW if is_sqlite else sa.func.coalesce(_NOW, server_clock())
    pick = _pick(kinds, present, is_sqlite)
    if is_sqlite:
        chosen = JOB.c.id.in_(sa.bindparam("ids", expanding=True))
    else:
        # MATERIALIZED: the rows are locked once, before anything is changed.
        locked = (
            sa.select(JOB.c.id)
            .where(JOB.c.run_at <= present, JOB.c.id.in_(pick))
            .with_for_update(skip_locked=True)
            .cte("locked")
            .prefix_with("MATERIALIZED")
        )
        chosen = JOB.c.id.in_(sa.select(locked.c.id))
    return Claim(pick, _take(kinds, chosen, present))


@lru_cache(maxsize=64)
def due_of(queues: Sequence[Sequence[Kind]], *, is_sqlite: bool) -> Any:
    """Asks which of the queues, each given by its kinds, have something due."""
    present = _NOW if is_sqlite else sa.func.coalesce(_NOW, server_clock())
    return sa.union_all(
        *(
            sa.select(sa.literal(kinds[0].queue)).where(sa.exists().where(_is_due(kinds, present)))
            for kinds in queues
        )
    )


def _is_due(kinds: Sequence[Kind], now: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    return sa.and_(
        JOB.c.queue == kinds[0].queue,
        JOB.c.run_at <= now,
        JOB.c.kind.in_([kind.name for kind in kinds]),
    )


def _by_kind(kinds: Sequence[Kind], values: Mapping[str, int]) -> sa.ColumnElement[int]:
    return sa.case(values, value=JOB.c.kind, else_=values[kinds[0].name])


def _busy_lanes(is_sqlite: bool) -> tuple[sa.TableValuedAlias, sa.ColumnElement[int]]:
    """How many jobs of each lane this process runs already, as a table (`key`, `value`)."""
    given = sa.bindparam("busy", type_=sa.Text)
    unfolded = (
        sa.func.json_each(given) if is_sqlite else sa.func.json_each_text(sa.cast(given, sa.JSON))
    )
    lanes = unfolded.table_valued("key", "value")
    return lanes, sa.cast(lanes.c.value, sa.Integer)


def _pick(kinds: Sequence[Kind], present: sa.ColumnElement[int], is_sqlite: bool) -> sa.Select[Any]:
    lanes, running = _busy_lanes(is_sqlite)
    full = sa.select(lanes.c.key).where(running >= max(kind.lane_cap for kind in kinds))
    scanned = (
        sa.select(JOB.c.id, JOB.c.lane, JOB.c.run_at)
        .add_columns(_by_kind(kinds, {kind.name: kind.lane_cap for kind in kinds}).label("cap"))
        .where(_is_due(kinds, present), JOB.c.lane.not_in(full))
        .order_by(JOB.c.run_at, JOB.c.id)
        .limit(sa.bindparam("scanned", type_=sa.Integer))
        .subquery()
    )
    turn = sa.func.row_number().over(
        partition_by=scanned.c.lane, order_by=(scanned.c.run_at, scanned.c.id)
    )
    rows = sa.select(scanned, turn.label("turn")).subquery()
    lanes, running = _busy_lanes(is_sqlite)
    return (
        sa.select(rows.c.id)
        .outerjoin_from(rows, lanes, lanes.c.key == rows.c.lane)
        .where(sa.or_(rows.c.lane == "", rows.c.turn + sa.func.coalesce(running, 0) <= rows.c.cap))
        .order_by(rows.c.run_at, rows.c.id)
        .limit(sa.bindparam("limit", type_=sa.Integer))
    )


def _take(
    kinds: Sequence[Kind], chosen: sa.ColumnElement[bool], present: sa.ColumnElement[int]
) -> Any:
    leases = _by_kind(kinds, {kind.name: int(kind.lease_seconds * 1000) for kind in kinds})
    # From here on the same key makes another job: this one may miss what it stands for.
    is_coalescing = JOB.c.kind.in_([kind.name for kind in kinds if kind.coalesces])
    return (
        sa.update(JOB)
        .where(chosen, JOB.c.run_at <= present)
        .values(
            run_at=present + leases,
            lease=sa.bindparam("lease"),
            worker=sa.bindparam("worker"),
            attempt=JOB.c.attempt + 1,
            key=sa.case((is_coalescing, sa.null()), else_=JOB.c.key),
        )
        .returning(*_TAKEN)
    )
