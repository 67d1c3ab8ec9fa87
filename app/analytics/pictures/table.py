"""A document as CSV (RFC 4180): one row a point, all of its columns, lists as text."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from app.analytics.pictures.words import Document
from app.measures.data_points.cells import write_cell, write_text

COLUMNS = (
    "x",
    "value",
    "numerator",
    "denominator",
    "phase",
    "excluded",
    "in_baseline",
    "centre",
    "lower_limit",
    "upper_limit",
    "lower_warning",
    "upper_warning",
    "target",
    "outside_limits",
    "signals",
    "signal_rules",
    "note",
    "annotations",
)
EXAMPLE = (
    f"{','.join(COLUMNS)}\r\n"
    "2018-01-22,93.44,57,61,0,false,false,69.83,52.21,87.46,58.08,81.59,90,true,"
    "5d1fd1c2ab0c7ee0,outside_limits,New rota,\r\n"
)


def table(document: Document) -> str:
    """The table with its header. No text of it is a formula to a spreadsheet."""
    rules = {signal["id"]: signal["rule"] for signal in document["signals"]}
    points = document["points"]
    known = {*COLUMNS}
    further = [name for name in (points[0] if points else ()) if name not in known]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([*COLUMNS, *further])
    for point in points:
        row = {**point, "signal_rules": [rules[name] for name in point["signals"]]}
        row["annotations"] = [_annotation(item) for item in point["annotations"]]
        writer.writerow([_cell(row.get(name)) for name in (*COLUMNS, *further)])
    return text.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return write_text("; ".join(map(str, value)))
    if isinstance(value, Mapping):
        return json.dumps(value, sort_keys=True)
    return write_cell(value)


def _annotation(item: Any) -> str:
    """An annotation in a line: `pdsa_start 2018-03-05: New rota`."""
    if not isinstance(item, Mapping):
        return str(item)
    head = " ".join(str(item[name]) for name in ("kind", "happened_on") if item.get(name))
    return f"{head}: {item.get('text') or ''}"
