"""A measure's data points as CSV or JSON Lines, all rows of a filter, written as they are sent."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from app.kit.db import Database
from app.kit.negotiation import CSV, JSON_LINES
from app.measures.data_points.cells import write_cell
from app.measures.models import DataPoint, Measure

COLUMNS = (
    "period_start",
    "period_end",
    "stratum",
    "value",
    "numerator",
    "denominator",
    "excluded",
    "excluded_reason",
    "status",
    "note",
)
CSV_EXAMPLE = (
    f"{','.join(COLUMNS)}\n2018-01-01,2018-01-07,,0.6833333333333333,41,60,false,,final,\n"
)
JSON_LINES_EXAMPLE = (
    '{"period_start": "2018-01-01", "period_end": "2018-01-07", "stratum": "", '
    '"value": 0.6833333333333333, "numerator": 41, "denominator": 60, "excluded": false, '
    '"excluded_reason": null, "status": "final", "note": null}\n'
)
ENDINGS = {CSV: "csv", JSON_LINES: "jsonl"}
_ROWS_AT_ONCE = 500


def disposition(measure: Measure, media_type: str) -> str:
    """The Content-Disposition of a file; the code is a slug, so it needs no quoting."""
    name = measure.code or measure.id
    return f'attachment; filename="{name}-data-points.{ENDINGS[media_type]}"'


def stream(database: Database, statement: sa.Select[Any], media_type: str) -> Iterator[str]:
    """The text of the file in chunks.

    It opens a session of its own, for that of the request is closed by then, and hands the
    connection back before the first chunk: a slow reader must not hold it.
    """
    chosen = statement.with_only_columns(*(col(getattr(DataPoint, name)) for name in COLUMNS))
    with database.reading() as session:
        rows = session.execute(chosen).all()
    write = {CSV: _csv, JSON_LINES: _json_lines}[media_type]
    if media_type == CSV:
        yield ",".join(COLUMNS) + "\r\n"
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        yield write(rows[start : start + _ROWS_AT_ONCE])


def _csv(rows: Sequence[Sequence[Any]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([write_cell(cell) for cell in row] for row in rows)
    return text.getvalue()


def _json_lines(rows: Sequence[Sequence[Any]]) -> str:
    objects = (dict(zip(COLUMNS, row, strict=True)) for row in rows)
    return "".join(f"{json.dumps(item, default=str)}\n" for item in objects)
