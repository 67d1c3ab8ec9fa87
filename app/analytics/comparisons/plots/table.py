"""The documents as CSV (RFC 4180): one row a point, category or unit."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from app.measures.data_points.cells import write_cell, write_text

_ROWS = {"ewma": "points", "cusum": "points", "pareto": "categories", "funnel": "units"}
_COLUMNS = {
    "ewma": (
        *("x", "value", "numerator", "denominator", "phase", "excluded", "in_baseline"),
        *("statistic", "centre", "lower_limit", "upper_limit", "outside_limits"),
        *("signals", "note"),
    ),
    "cusum": (
        *("x", "value", "numerator", "denominator", "phase", "excluded", "in_baseline"),
        *("centre", "high", "low", "outside_limits", "signals", "note"),
    ),
    "pareto": ("label", "value", "share", "cumulative_share", "is_vital", "is_other"),
    "funnel": (
        *("id", "label", "n", "numerator", "value", "z", "adjusted_z"),
        *("lower_998", "lower_95", "upper_95", "upper_998"),
        *("adjusted_lower_998", "adjusted_lower_95", "adjusted_upper_95", "adjusted_upper_998"),
        *("outside_95", "outside_998", "side", "meaning"),
    ),
}
EXAMPLE = (
    f"{','.join(_COLUMNS['pareto'])}\r\n"
    "Dose not stated,61,0.5169491525423728,0.5169491525423728,true,false\r\n"
)


def table(document: Mapping[str, Any]) -> str:
    """The table with its header. No text of it is a formula to a spreadsheet."""
    columns = _COLUMNS[document["chart"]]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in document[_ROWS[document["chart"]]]:
        flat = _flattened(row)
        writer.writerow([_cell(flat[name]) for name in columns])
    return text.getvalue()


def _flattened(row: Mapping[str, Any]) -> dict[str, Any]:
    """A unit's limits as columns of their own."""
    flat = dict(row)
    flat |= flat.pop("limits", {})
    adjusted = flat.pop("adjusted_limits", {})
    return flat | {f"adjusted_{name}": value for name, value in adjusted.items()}


def _cell(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return write_text("; ".join(map(str, value)))
    return write_cell(value)
