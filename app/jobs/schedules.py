"""Work that returns: cron expressions in code, their next tick in the database.

Any process may fire a tick; the one whose UPDATE finds the tick it has seen enqueues the job in
the same transaction. Ticks that were missed fire once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from cronsim import CronSim

from app.jobs.actions import enqueue
from app.jobs.claiming import instant, looking
from app.jobs.kinds import Kind
from app.jobs.models import Schedule
from app.kit.clock import unix_ms
from app.kit.db import Database
from app.kit.upsert import insert_for

_SCHEDULE: sa.Table = Schedule.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Cron:
    """A job at every tick of `cron`, read in the time zone `tz`. Names are unique."""

    name: str
    kind: Kind
    cron: str
    tz: str = "UTC"
    args: Mapping[str, Any] = field(default_factory=dict)


def next_tick(cron: str, tz: str, after: int) -> int:
    """The first tick after an instant, both in Unix milliseconds. Raises `CronSimError`."""
    local = datetime.fromtimestamp(after / 1000, UTC).astimezone(ZoneInfo(tz))
    return unix_ms(next(CronSim(cron, local)))


def keep_schedules(database: Database, crons: Sequence[Cron], *, now: int | None = None) -> None:
    """Store the schedules of this version. One that has not changed keeps its next tick.

    A row that no code knows any more stays and never fires.
    """
    with database.transaction() as session:
        present = session.execute(sa.select(instant(database, now))).scalar_one()
        insert = insert_for(session.connection(), _SCHEDULE)
        for cron in crons:
            values = {
                "kind": cron.kind.name,
                "cron": cron.cron,
                "tz": cron.tz,
                "args": dict(cron.args),
            }
            tick = {"next_at": next_tick(cron.cron, cron.tz, present)}
            is_other = sa.or_(_SCHEDULE.c.cron != cron.cron, _SCHEDULE.c.tz != cron.tz)
            moved = sa.case((is_other, tick["next_at"]), else_=_SCHEDULE.c.next_at)
            session.execute(
                insert.values(
                    name=cron.name, is_enabled=True, **values, **tick
                ).on_conflict_do_update(index_elements=["name"], set_={**values, "next_at": moved})
            )


def fire_due(database: Database, crons: Sequence[Cron], *, now: int | None = None) -> int | None:
    """Enqueue a job for each schedule that is due; the milliseconds to the next tick, if any."""
    if not crons:
        return None
    known = {cron.name: cron for cron in crons}
    with looking(database) as session:
        statement = sa.select(
            _SCHEDULE.c.name, _SCHEDULE.c.next_at, instant(database, now).label("present")
        ).where(_SCHEDULE.c.is_enabled, _SCHEDULE.c.name.in_(known))
        rows = session.execute(statement).all()
    waits = [
        _fire(database, known[row.name], row.next_at, row.present)
        if row.next_at <= row.present
        else row.next_at - row.present
        for row in rows
    ]
    return min(waits, default=None)


def _fire(database: Database, cron: Cron, seen: int, present: int) -> int:
    following = next_tick(cron.cron, cron.tz, present)
    with database.transaction() as session:
        won = session.execute(
            sa.update(_SCHEDULE)
            .where(
                _SCHEDULE.c.name == cron.name,
                _SCHEDULE.c.next_at == seen,
                _SCHEDULE.c.is_enabled,
            )
            .values(next_at=following, last_at=seen)
            .returning(_SCHEDULE.c.name)
        ).first()
        if won is not None:
            enqueue(session, cron.kind, cron.args, key=f"cron:{cron.name}:{seen}")
    return following - present
