"""The simulated tables, read between their cells: false-signal rate and detectable shift.

Both hold for independent values and one phase whose lines come from its first points. They are
tabulated for three families of charts; of a chart in no family nothing is said.
"""

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache

from app.spc import simulated_rates, simulated_shifts

_Rows = Mapping[tuple[str, str, int], Sequence[float | None]]

# What limits are estimated from. Laney's charts and the i' chart take sigma from moving ranges of
# standardised values, so they behave like individuals charts; counts must be large for `counts`.
# Left out: mr, s, r (ranges are skewed), xbar (depends on the size of the subgroups), t and g.
FAMILIES = {
    "run": "median",
    "i": "ranges",
    "i_prime": "ranges",
    "p_prime": "ranges",
    "u_prime": "ranges",
    "c": "counts",
    "np": "counts",
    "p": "counts",
    "u": "counts",
}


@lru_cache(maxsize=4096)
def false_signal_rate(chart: str, rule_set: str, before: int, after: int) -> float | None:
    """The probability that a stable process raises at least one signal.

    before: base points; after: later points of the phase, 0 where lines are taken from all points.
    None outside the table, and for charts that it does not hold for.
    """
    family = FAMILIES.get(chart)
    cell = _between(_rates(), rule_set, family, before, after)
    return None if cell is None else round(cell / 1000, 3)


@lru_cache(maxsize=4096)
def minimum_detectable_shift(chart: str, rule_set: str, before: int, after: int) -> float | None:
    """The shift of the mean, in sigma, that is signalled with a probability of 80 %.

    The process shifts right after the base points and stays there; what counts is a signal in the
    direction of the shift, completed by any later point. None where no shift up to 3 sigma is seen
    so surely, where a stable process gives such signals in half of all series, outside the table,
    and for charts that it does not hold for.
    """
    if after < 1:
        return None
    family = FAMILIES.get(chart)
    cell = _between(_shifts(), rule_set, family, before, after)
    return None if cell is None else round(cell / 100, 2)


@cache
def _rates() -> _Rows:
    return _read(simulated_rates.TABLE)


@cache
def _shifts() -> _Rows:
    return _read(simulated_shifts.TABLE)


def _read(table: str) -> _Rows:
    rows: dict[tuple[str, str, int], Sequence[float | None]] = {}
    for line in table.splitlines():
        head, cells = line.split(" : ")
        rule_set, family, before = head.split()
        rows[rule_set, family, int(before)] = [
            None if cell == "-" else float(cell) for cell in cells.split()
        ]
    return rows


def _between(
    rows: _Rows, rule_set: str, family: str | None, before: int, after: int
) -> float | None:
    """Bilinear in the logarithms of both axes: rates change by ratios of points."""
    along, across = _place(simulated_rates.BEFORE, before), _place(simulated_rates.AFTER, after)
    if family is None or along is None or across is None:
        return None
    total = 0.0
    for base, weight in along:
        row = rows.get((rule_set, family, simulated_rates.BEFORE[base]))
        for column, share in across:
            cell = None if row is None else row[column]
            if cell is None:
                return None
            total += weight * share * cell
    return total


def _place(axis: Sequence[int], number: int) -> list[tuple[int, float]] | None:
    """The positions on an axis that a number lies between, with their weights."""
    if not axis[0] <= number <= axis[-1]:
        return None
    above = bisect_right(axis, number)
    low = axis[above - 1]
    if low == number:
        return [(above - 1, 1.0)]
    weight = math.log((1 + number) / (1 + low)) / math.log((1 + axis[above]) / (1 + low))
    return [(above - 1, 1 - weight), (above, weight)]
