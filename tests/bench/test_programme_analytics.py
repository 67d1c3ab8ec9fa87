"""What the results of a large programme cost: at the first read, at the next, after one change."""

import asyncio
import json
import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col, delete

from app.analytics.drawing import judge_each
from app.analytics.queries import assemble_many
from app.analytics.summaries.models import MeasureSummary
from app.identity.models import LoginSession
from app.kit import migrations
from app.kit.clock import utc_now
from app.kit.db import Database
from app.kit.ids import new_id
from app.main import OpenQI, create_app
from app.measures.models import DataPoint, DataType, Direction, Family, Measure
from app.projects.models import Project
from app.settings import Settings
from tests.bench.asgi import describe, get
from tests.world import World, make_world

PROJECTS, MEASURES, POINTS, ROUNDS = 1_000, 5, 36, 5
FAMILIES = [Family.OUTCOME, Family.PROCESS, Family.PROCESS, Family.BALANCING, Family.OUTCOME]


def _project(world: World, number: int) -> Project:
    return Project(
        programme_id=world.programme.id, team_id=world.team.id, title=f"Project {number:04}"
    )


def _measure(project: Project, position: int) -> Measure:
    return Measure(
        programme_id=project.programme_id,
        project_id=project.id,
        name=f"Measure {position}",
        family=FAMILIES[position],
        data_type=DataType.PROPORTION,
        direction=Direction.INCREASE,
        multiplier=100.0,
        unit="%",
        baseline_points=12,
        position=position,
        targets=[{"from": None, "value": 80}],
    )


def _points(measure: Measure, chance: random.Random, *, rise: int) -> Iterator[dict[str, Any]]:
    """A year of weeks, which rises after twenty of them."""
    shared = DataPoint(
        programme_id=measure.programme_id,
        project_id=measure.project_id,
        measure_id=measure.id,
        period_start=date(2018, 1, 1),
        denominator=50.0,
    ).model_dump()
    for week in range(POINTS):
        yield shared | {
            "id": new_id(),
            "period_start": date(2018, 1, 1) + timedelta(weeks=week),
            "numerator": float(20 + chance.randrange(9) + rise * (week > 20)),
        }


def _fill(session: Session, world: World) -> list[Any]:
    """Projects with an aim at their headline; proportions that improve in a third of them."""
    chance, ids = random.Random(7), []
    projects: list[dict[str, Any]] = []
    measures: list[dict[str, Any]] = []
    points: list[dict[str, Any]] = []
    for number in range(PROJECTS):
        project = _project(world, number)
        for position in range(MEASURES):
            measure = _measure(project, position)
            if position == 0:
                project.aim = {"target_value": 80, "direction": "increase"}
                project.aim |= {"by_when": "2018-09-30", "measure_id": str(measure.id)}
            measures.append(measure.model_dump())
            points += _points(measure, chance, rise=15 * (number % 3 == 0))
            ids.append(measure.id)
        projects.append(project.model_dump())
    for entity, rows in ((Project, projects), (Measure, measures), (DataPoint, points)):
        session.execute(sa.insert(entity), rows)
        session.commit()
    return ids


Served = tuple[OpenQI, dict[str, str], str, list[Any]]


@pytest.fixture
def served(
    backend: str, new_database_url: Callable[[str, str], str], tmp_path: Path
) -> Iterator[Served]:
    url = new_database_url(backend, "analytics")
    migrations.upgrade(url)
    database = Database(url)
    settings = Settings(
        signing_key_file=tmp_path / "key.pem", database_url=url, log_level="WARNING"
    )
    app = create_app(settings, database=database)
    now = utc_now()
    with database.writing() as session:
        world = make_world(session)
        measures = _fill(session, world)
        login = LoginSession(user_id=world.facilitator.id, expires_at=now + timedelta(hours=1))
        session.add(login)
        session.commit()
        token = app.state.tokens.issue(user_id=world.facilitator.id, session_id=login.id, now=now)
    path = f"/api/v1/programmes/{world.programme.id}/analytics"
    yield app, {"Authorization": f"Bearer {token}"}, path, measures
    database.dispose()


def _read(served: Served) -> tuple[float, float, dict[str, Any]]:
    """Wall and processor seconds of one request, and its answer."""
    app, headers, path, _ = served
    started, worked = perf_counter(), process_time()
    answer = asyncio.run(get(app, path, headers))
    seconds = perf_counter() - started, process_time() - worked
    assert answer.status == 200, answer.body
    return *seconds, json.loads(answer.body)


def _best(served: Served, before: Callable[[], None]) -> tuple[float, float]:
    times = []
    for _ in range(ROUNDS):
        before()
        times.append(_read(served)[:2])
    return min(time[0] for time in times), min(time[1] for time in times)


@pytest.mark.bench
def test_results_of_a_large_programme(served: Served, backend: str) -> None:
    """What does GET .../analytics cost when all, none or one of the series have changed?

    Size: 1,000 projects of 5 measures of 36 points; of each, the headline is needed. Compared with
    what an answer without stored summaries could not do without: reading and judging the 1,000
    headlines, or all 5,000 series.
    """
    app, _, _, measures = served
    database: Database = app.state.database

    def nothing() -> None:
        """None is behind."""

    def forget() -> None:
        with database.transaction() as session:
            session.exec(delete(MeasureSummary))

    def change() -> None:
        with database.transaction() as session:
            session.execute(
                sa.update(Measure)
                .where(col(Measure.id) == measures[0])
                .values(series_revision=Measure.series_revision + 1)
            )

    def judge(wanted: list[Any]) -> float:
        started = perf_counter()
        with database.reading() as session:
            stored = assemble_many(session, wanted)
            judge_each((item.series, item.settings) for _, item in stored)
        return perf_counter() - started

    cold = _read(served)
    assert cold[2]["totals"]["projects"] == PROJECTS + 2
    assert sum(cold[2]["totals"]["variation"].values()) == PROJECTS + 2
    print()
    describe(f"{backend}, first request of the process, all behind", f"{cold[0] * 1e3:8.0f} ms")
    for name, before in (
        ("all 1,000 headlines behind", forget),
        ("none behind", nothing),
        ("one behind", change),
    ):
        wall, worked = _best(served, before)
        describe(f"{backend}, {name}", f"{wall * 1e3:8.0f} ms, processor {worked * 1e3:.0f} ms")
    describe(f"{backend}, read and judge 1,000", f"{judge(measures[::MEASURES]) * 1e3:8.0f} ms")
    describe(f"{backend}, read and judge 5,000", f"{judge(measures) * 1e3:8.0f} ms")
