"""Schedules: one job a due time whoever looks, clock changes, missed ticks, changed code."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from cronsim import CronSimError

from app.jobs.kinds import Kind
from app.jobs.schedules import Cron, fire_due, keep_schedules, next_tick
from app.kit.clock import unix_ms
from app.kit.db import Database
from tests.jobs.asking import jobs

TICK = Kind("test.tick", queue="cron")
HOURLY = Cron("hourly", TICK, "0 * * * *", args={"what": "hour"})
HOUR = 3_600_000


def ms(*parts: int) -> int:
    return unix_ms(datetime(*parts, tzinfo=UTC))  # type: ignore[arg-type, misc]


def _ticks(cron: str, after: int, count: int, tz: str = "Europe/London") -> Iterator[str]:
    for _ in range(count):
        after = next_tick(cron, tz, after)
        yield datetime.fromtimestamp(after / 1000, UTC).isoformat(timespec="minutes")[:16]


def test_in_spring_the_hour_that_is_missing() -> None:
    """On 31 March 2019 London's clocks went from 01:00 to 02:00."""
    assert list(_ticks("30 2 * * *", ms(2019, 3, 30), 3)) == [
        "2019-03-30T02:30",
        "2019-03-31T01:30",
        "2019-04-01T01:30",
    ]
    assert list(_ticks("30 1 * * *", ms(2019, 3, 30, 12), 2)) == [
        "2019-03-31T01:00",  # 01:30 does not exist: it fires when the clock has jumped
        "2019-04-01T00:30",
    ]


def test_in_autumn_the_hour_that_comes_twice() -> None:
    """On 27 October 2019 London's clocks went from 02:00 back to 01:00."""
    assert list(_ticks("30 1 * * *", ms(2019, 10, 26, 12), 2)) == [
        "2019-10-27T00:30",
        "2019-10-28T01:30",
    ]
    assert list(_ticks("0 * * * *", ms(2019, 10, 26, 23, 30), 4)) == [
        "2019-10-27T00:00",
        "2019-10-27T01:00",
        "2019-10-27T02:00",
        "2019-10-27T03:00",
    ]


def test_a_tick_that_never_comes() -> None:
    with pytest.raises(CronSimError):
        next_tick("0 0 30 2 *", "UTC", 0)


def test_a_due_time_makes_one_job_and_says_when_to_look_again(database: Database) -> None:
    start = ms(2030, 1, 1, 9, 30)
    keep_schedules(database, [HOURLY], now=start)
    assert fire_due(database, [HOURLY], now=start) == HOUR // 2
    due = start + HOUR // 2
    assert fire_due(database, [HOURLY], now=due + 5) == HOUR - 5
    assert fire_due(database, [HOURLY], now=due + 6) == HOUR - 6
    assert [(row.kind, row.args, row.key) for row in jobs(database)] == [
        ("test.tick", {"what": "hour"}, f"cron:hourly:{due}")
    ]


def test_ticks_that_were_missed_fire_once(database: Database) -> None:
    keep_schedules(database, [HOURLY], now=ms(2030, 1, 1))
    fire_due(database, [HOURLY], now=ms(2030, 1, 3, 9, 30))
    assert fire_due(database, [HOURLY], now=ms(2030, 1, 3, 9, 31)) == 29 * 60_000
    assert len(jobs(database)) == 1


def test_eight_that_look_at_once_make_one_job_a_due_time(live: Database) -> None:
    start = ms(2030, 1, 1)
    keep_schedules(live, [HOURLY], now=start)

    def look(_name: int) -> None:
        for hour in range(1, 7):
            fire_due(live, [HOURLY], now=start + hour * HOUR)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(look, range(8)))
    assert sorted(str(row.key) for row in jobs(live)) == [
        f"cron:hourly:{start + hour * HOUR}" for hour in range(1, 7)
    ]


def test_what_the_code_says_counts(database: Database) -> None:
    start = ms(2030, 1, 1, 9, 30)
    keep_schedules(database, [HOURLY], now=start)
    keep_schedules(database, [HOURLY], now=start + 5 * HOUR)
    assert fire_due(database, [HOURLY], now=start) == HOUR // 2  # unchanged, so not put off
    daily = replace(HOURLY, cron="0 12 * * *")
    keep_schedules(database, [daily], now=start)
    assert fire_due(database, [daily], now=start) == 2.5 * HOUR


def test_what_is_disabled_or_unknown_never_fires(database: Database) -> None:
    other = replace(HOURLY, name="of an older version")
    keep_schedules(database, [HOURLY, other], now=ms(2030, 1, 1))
    with database.transaction() as session:
        session.execute(sa.text("UPDATE schedule SET is_enabled = false WHERE name = 'hourly'"))
    assert fire_due(database, [HOURLY], now=ms(2031, 1, 1)) is None
    assert fire_due(database, [], now=ms(2031, 1, 1)) is None
    assert jobs(database) == []
    keep_schedules(database, [HOURLY], now=ms(2030, 1, 1))
    assert fire_due(database, [HOURLY], now=ms(2031, 1, 1)) is None
