"""Files to import, and the way from a POST to its result."""

import json
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any

import httpx2 as httpx
import sqlalchemy as sa
from sqlmodel import Session, col

from app.kit.db import Database
from app.measures.imports.actions import KIND
from app.measures.imports.runner import run_import
from app.measures.models import DataPoint, Measure
from app.projects.models import Project
from tests.calling import Caller
from tests.operations.bodies import ended, work_off

RUNNERS = {KIND: run_import}
FIRST = date(2000, 1, 1)
STRATA = 50


def point(number: int, **over: Any) -> dict[str, Any]:
    """The row of that number; each has a period or a stratum of its own."""
    day = FIRST + timedelta(days=number // STRATA)
    stratum = f"s{number % STRATA}"
    numbers = {"numerator": number % 20, "denominator": 20}
    return {"period_start": day.isoformat(), "stratum": stratum, **numbers} | over


def points(count: int) -> Iterator[dict[str, Any]]:
    return (point(number) for number in range(count))


def csv_of(rows: Iterable[dict[str, Any]], *, end: str = "\n") -> str:
    """A CSV file; the first row says which columns there are."""
    rows = list(rows)
    lines = [",".join(rows[0]), *(",".join(str(cell) for cell in row.values()) for row in rows)]
    return end.join(lines) + end


def lines_of(rows: Iterable[dict[str, Any]]) -> str:
    """A JSON Lines file."""
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def post(
    caller: Caller,
    to: Measure | Project,
    text: str | bytes,
    kind: str = "text/csv",
    **params: Any,
) -> httpx.Response:
    """POST a file, to a measure or to a project."""
    headers = {"Content-Type": kind} | params.pop("headers", {})
    path = f"/{'measures' if isinstance(to, Measure) else 'projects'}/{to.id}/imports"
    return caller("POST", path, content=text, params=params, headers=headers)


def load(
    caller: Caller,
    database: Database,
    to: Measure | Project,
    text: str | bytes,
    kind: str = "text/csv",
    **params: Any,
) -> dict[str, Any]:
    """POST a file and work it off; the finished operation."""
    response = post(caller, to, text, kind, **params)
    work_off(database, RUNNERS)
    return ended(caller, response)


def count_points(session: Session, measure: Measure) -> int:
    """How many live points there are."""
    statement = sa.select(sa.func.count()).where(
        col(DataPoint.measure_id) == measure.id, col(DataPoint.archived_at).is_(None)
    )
    return int(session.execute(statement).scalar_one())


def named(measure: Measure, rows: Iterable[dict[str, Any]], **over: Any) -> list[dict[str, Any]]:
    """Rows that name a measure."""
    return [{"measure": measure.name, **row, **over} for row in rows]


def counted(result: dict[str, Any]) -> dict[str, list[int]]:
    """created, updated, unchanged and skipped of each measure, and of the whole under ''."""
    names = ("created", "updated", "unchanged", "skipped")
    return {
        part.get("name", ""): [part[name] for name in names]
        for part in (*result["measures"], result)
    }


def faults_of(done: dict[str, Any]) -> list[tuple[int, str | None, str]]:
    """Row, column and code of what was wrong, of a failure or of rows left out."""
    faults = done["error"]["errors"] if done["error"] else done["result"]["faults"]
    return [(fault["row"], fault.get("column"), fault["code"]) for fault in faults]
