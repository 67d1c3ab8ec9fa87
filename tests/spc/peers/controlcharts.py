"""controlchartspy 0.1: lines and marks of the control charts of Western Australia Health."""

import warnings
from functools import cache
from typing import Any

import numpy as np
from controlchartspy import spc

from app.spc.series import FloatArray
from tests.spc.peers.cases import Case

NAME = "controlchartspy"
CODES = {
    "run": "run",
    "i": "i",
    "i_median": "i_m",
    "mr": "mr",
    "xbar": "xbar",
    "s": "s",
    "c": "c",
    "u": "u",
    "u_prime": "up",
    "p": "p",
    "p_prime": "pp",
    "t": "t",
    "g": "g",
}
_COLUMNS = {
    "value": "value",
    "centre": "target",
    "lower_limit": "ll99",
    "upper_limit": "ul99",
    "lower_warning": "ll95",
    "upper_warning": "ul95",
}
_MARKS = {
    "outside_limits": "astpoint",
    "shift": "shift",
    "trend": "trend",
    "two_of_three": "two_in_three",
}
RULES = tuple(_MARKS)
_SIDES = {"neutral_high": "high", "neutral_low": "low"}
Marks = dict[str, set[tuple[int, str]]]


@cache
def ask(case: Case) -> tuple[dict[str, FloatArray], Marks] | None:
    """Values, lines and marks (rows with their sides); None for what it does not offer."""
    code = CODES.get(case.chart)
    if code is None or case.excluded:
        return None
    rows = _records(case, code)
    at = _rows(case)
    assert len(at) == len(rows)
    found = {}
    for name, column in _COLUMNS.items():
        found[name] = np.full(len(case.series.x), np.nan)
        given = [row.get(column) for row in rows]
        found[name][at] = np.array(given, dtype=np.float64)
    marks = {
        rule: {
            (number, _SIDES[row[column]])
            for number, row in zip(at, rows, strict=True)
            if row[column] in _SIDES
        }
        for rule, column in _MARKS.items()
    }
    return found, marks


def _rows(case: Case) -> list[int]:
    """The rows that it keeps: those without a gap; of moving ranges, no first one of a phase."""
    gaps = case.gaps
    kept = [
        [row for row in range(part.start, part.stop) if row not in gaps] for part in case.phases
    ]
    return [row for part in kept for row in (part[1:] if case.chart == "mr" else part)]


def _records(case: Case, code: str) -> list[dict[str, Any]]:
    phase_of_rows = [
        f"{phase}" for phase, rows in enumerate(case.phases) for _ in range(rows.start, rows.stop)
    ]
    columns: Any = _given(case)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*removed due to.*")  # its rows with gaps
        chart = spc(
            {},
            list(case.series.x),
            groupings=phase_of_rows,
            return_objs="limits",
            spc_settings={
                "chart_type": code,
                "perc_labels": "No",
                "outliers_in_limits": not case.screens,
                "num_points_subset": case.baseline,
                "subset_rebaselines": True,
            },
            outlier_settings={
                "improvement_direction": "neutral",
                "astronomical": True,
                "shift": True,
                "trend": True,
                "two_in_three": True,
            },
            **columns,
        )
    assert chart.limits is not None
    return chart.limits


def _given(case: Case) -> dict[str, object]:
    series = case.series
    if series.subgroups is None:
        if series.values is not None:
            return {"numerators": series.values}
        return {"numerators": series.numerators, "denominators": series.denominators}
    groups = [np.array(group, dtype=np.float64) for group in series.subgroups]
    means = [float(group.mean()) for group in groups]
    spreads = [float(group.std(ddof=1)) for group in groups]
    sizes = [len(group) for group in groups]
    if case.chart == "s":
        return {"numerators": spreads, "denominators": sizes}
    return {"numerators": means, "denominators": sizes, "xbar_sds": spreads}
