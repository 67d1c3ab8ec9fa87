"""clinical-qikit 0.5: lines as `qic` gives them, rules as its own functions mark them."""

import numpy as np
import pandas as pd
from qikit import qic
from qikit.spc import signals

from app.spc.series import FloatArray
from tests.spc.peers.cases import Case
from tests.spc.peers.zones import Zones

NAME = "clinical-qikit"
CODES = {
    "run": "run",
    "i": "i",
    "i_prime": "ip",
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
_SCREENED = {"i", "t", "i_prime"}  # always; its Laney charts never
_NEVER_SCREENED = {"u_prime", "p_prime"}
_COLUMNS = {
    "value": "y",
    "centre": "cl",
    "lower_limit": "lcl",
    "upper_limit": "ucl",
    "lower_warning": "lcl_95",
    "upper_warning": "ucl_95",
}


def lines(case: Case) -> dict[str, FloatArray] | None:
    """Values and lines, one a row; None for what it does not offer."""
    code = CODES.get(case.chart)
    screened = case.screens or case.chart not in _SCREENED
    if code is None or not screened or (case.chart in _NEVER_SCREENED and case.screens):
        return None
    given = _given(case)
    result = qic(
        chart=code,
        part=[part.start + 1 for part in case.phases[1:]] or None,
        freeze=case.baseline,
        exclude=[row + 1 for row in case.excluded] or None,
        **given,
    )
    frame = result.data.iloc[-len(case.series.x) :]
    found = {name: frame[column].to_numpy(dtype=float) for name, column in _COLUMNS.items()}
    if case.chart == "mr":  # it leaves the first point out
        found = {name: np.concatenate([[np.nan], column]) for name, column in found.items()}
    return found


def _given(case: Case) -> dict[str, object]:
    series = case.series
    if series.subgroups is not None:
        rows = [
            (x, value)
            for x, group in zip(series.x, series.subgroups, strict=True)
            for value in group or ()
        ]
        return {"data": pd.DataFrame(rows, columns=["x", "y"]), "x": "x", "y": "y"}
    if series.values is not None:
        return {"y": case.column("values")}
    return {"y": case.column("numerators"), "n": case.column("denominators")}


def runs(values: FloatArray, centre: FloatArray) -> dict[str, int | bool]:
    """The runs analysis of one phase."""
    _, _, summary = signals._runs_signals(values, centre, method="anhoej")
    return dict(summary)


def long_runs(values: FloatArray, centre: FloatArray, length: int) -> set[int]:
    """Rows in runs of at least `length` on one side of the centre."""
    return _rows(signals._mark_long_runs(values, centre, length))


def rules(zones: Zones) -> dict[str, dict[str, set[int]]]:
    """By rule set and rule, the rows that it marks in one phase, given our lines."""
    values, centre = zones.values, zones.centre
    trend = _rows(signals._mark_trends(values, 6))
    alternating = _rows(signals._mark_oscillation(values, 14))
    found = {
        "ihi_spc": {"shift": long_runs(values, centre, 8), "trend": trend},
        "western_electric": {"shift": long_runs(values, centre, 8)},
        "nelson": {
            "shift": long_runs(values, centre, 9),
            "trend": trend,
            "fourteen_alternating": alternating,
        },
    }
    if zones.has_sigma:
        lines = values, centre, centre + 3 * zones.sigma
        shared = {
            "outside_limits": _rows(
                signals._sigma_signals(values, lines[2], centre - 3 * zones.sigma)
            ),
            "two_of_three": _rows(signals._mark_zones(*lines, 2, 3, 2.0)),
            "four_of_five": _rows(signals._mark_zones(*lines, 4, 5, 1.0)),
        }
        found["western_electric"] |= shared
        found["nelson"] |= shared | {
            "fifteen_inner": _rows(signals._mark_stratification(*lines, 15)),
            "eight_outer": _rows(signals._mark_mixture(*lines, 8)),
        }
    return found


def _rows(marks: FloatArray) -> set[int]:
    return set(np.flatnonzero(marks).tolist())
