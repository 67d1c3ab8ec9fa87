"""Seeded random series for every chart: ties, shifts, phases, baselines, gaps and exclusions."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from app.spc import CHARTS, Chart, Series, Settings, chart
from app.spc.series import FloatArray
from tests.spc.requests import labels

SEED = 20_260_101
_LENGTHS = (8, 9, 11, 12, 16, 20, 24, 24, 30, 36, 52, 100, 200)
_LONGEST_OF_SUBGROUPS = 52  # one of the engines is slow with more
_A_CHART = 26  # cases


@dataclass(frozen=True, eq=False)
class Case:
    """One series and how to chart it, in terms that every engine can be asked."""

    name: str
    series: Series
    settings: Settings

    @property
    def chart(self) -> str:
        return self.settings.chart

    @property
    def screens(self) -> bool:
        return self.settings.screen_moving_ranges

    @property
    def baseline(self) -> int | None:
        rows = self.settings.baseline_points
        assert rows is None or isinstance(rows, int)
        return rows

    @property
    def phases(self) -> list[slice]:
        edges = [0, *self.settings.phase_starts, len(self.series.x)]
        return [slice(start, stop) for start, stop in pairwise(edges)]

    @property
    def excluded(self) -> list[int]:
        return [row for row, out in enumerate(self.series.excluded or ()) if out]

    @property
    def gaps(self) -> set[int]:
        """Rows without a value."""
        given = self.series.values or self.series.numerators or ()
        return {row for row, number in enumerate(given) if number is None}

    @property
    def kept(self) -> list[int]:
        """Rows without those of gaps."""
        return [row for row in range(len(self.series.x)) if row not in self.gaps]

    @cache  # noqa: B019 - the cases live as long as the tests
    def without_gaps(self) -> "Case":
        """The same case as it looks to an engine that drops the rows of gaps before all else.

        A baseline keeps its number of rows, as such an engine counts the rows that it sees.
        """
        kept = self.kept
        columns = {
            field: [column[row] for row in kept]
            for field in ("x", "values", "numerators", "denominators", "excluded", "subgroups")
            if (column := getattr(self.series, field)) is not None
        }
        starts = tuple(kept.index(self.first_kept(start)) for start in self.settings.phase_starts)
        settings = replace(self.settings, phase_starts=starts)
        return Case(f"{self.name} without gaps", Series(**columns), settings)

    def first_kept(self, row: int) -> int:
        return next(later for later in self.kept if later >= row)

    @cache  # noqa: B019
    def ours(self, rule_set: str = "limits_only") -> Chart:
        """What our engine says; without a rule set, only its lines matter."""
        return chart(self.series, replace(self.settings, rule_set=rule_set))

    def column(self, field: str) -> FloatArray:
        """Values, numerators or denominators; NaN is a gap."""
        return np.array(getattr(self.series, field), dtype=np.float64)


@cache
def cases() -> list[Case]:
    """Every case; the same ones in every run."""
    return [
        _case(name, number, np.random.default_rng([SEED, index, number]))
        for index, name in enumerate(sorted(_DRAW.keys() & CHARTS.keys()))
        for number in range(_A_CHART)
    ]


def _case(name: str, number: int, random: np.random.Generator) -> Case:
    size = _LENGTHS[number % len(_LENGTHS)]
    if name in ("xbar", "s", "r"):
        size = min(size, _LONGEST_OF_SUBGROUPS)
    columns = _DRAW[name](random, size, number)
    style = number % 5
    starts: tuple[int, ...] = ()
    baseline = None
    if style == 1 and size >= 20:
        starts = (size // 2,) if size < 50 else (size // 4, size // 2)
    elif style == 2 and size >= 16:
        baseline = size // 2
    screens = number % 2 == 0
    series = Series(labels(size), **columns)
    settings = Settings(
        name, phase_starts=starts, baseline_points=baseline, screen_moving_ranges=screens
    )
    return Case(f"{name}-{number:02d}", series, settings)


def _level(random: np.random.Generator, size: int, number: int) -> FloatArray:
    """Where a series lies, in its own standard deviations: level, shifted, in trend or wild."""
    level = np.zeros(size)
    match number % 4:
        case 1:
            level[size // 2 :] = random.choice([-1.5, 1.5])
        case 2:
            level += np.linspace(0, random.choice([-3.0, 3.0]), size)
        case 3:
            level[random.integers(0, size, 2)] = random.choice([-4.0, 4.0], 2)
    return level


def _holes(columns: dict[str, list[Any]], random: np.random.Generator, number: int) -> None:
    """Some series have gaps, some excluded points."""
    size = len(next(iter(columns.values())))
    rows = sorted(random.choice(size, max(1, size // 10), replace=False).tolist())
    if number % 6 == 4:
        for column in columns.values():
            for row in rows:
                column[row] = None
    elif number % 6 == 5:
        columns["excluded"] = [row in rows for row in range(size)]


def _measurements(random: np.random.Generator, size: int, number: int) -> dict[str, Any]:
    values = 50 + 5 * (random.normal(size=size) + _level(random, size, number))
    columns = {"values": values.round(number % 3).tolist()}
    if number % 7 == 6:  # so coarse that many points lie on the centre
        columns = {"values": (values / 10).round().tolist()}
    _holes(columns, random, number)
    return columns


def _counts(random: np.random.Generator, size: int, number: int) -> dict[str, Any]:
    rate = float(random.choice([0.7, 4, 9, 30]))
    level = np.maximum(rate + np.sqrt(rate) * _level(random, size, number), 0.05)
    columns = {"values": random.poisson(level).astype(float).tolist()}
    _holes(columns, random, number)
    return columns


def _rates(random: np.random.Generator, size: int, number: int) -> dict[str, Any]:
    sizes = random.integers(40, 160, size).astype(float)
    rate = float(random.choice([0.02, 0.1, 0.5]))
    level = np.maximum(rate * sizes + np.sqrt(rate * sizes) * _level(random, size, number), 0.05)
    if number % 3 == 0:  # overdispersed
        level *= random.gamma(20, 1 / 20, size)
    columns = {
        "numerators": random.poisson(level).astype(float).tolist(),
        "denominators": sizes.tolist(),
    }
    _holes(columns, random, number)
    return columns


def _proportions(
    random: np.random.Generator, size: int, number: int, fixed: int = 0
) -> dict[str, Any]:
    sizes = random.integers(15, 80, size)
    if fixed:
        sizes[:] = fixed
    share = float(random.choice([0.05, 0.3, 0.8, 0.97]))
    spread = np.sqrt(share * (1 - share) / sizes)
    level = np.clip(share + spread * _level(random, size, number), 0.005, 0.995)
    columns = {
        "numerators": random.binomial(sizes, level).astype(float).tolist(),
        "denominators": sizes.astype(float).tolist(),
    }
    _holes(columns, random, number)
    return columns


def _samples(random: np.random.Generator, size: int, number: int) -> dict[str, Any]:
    """Samples of one size, as an np chart of other engines wants them."""
    return _proportions(random, size, number, fixed=40)


def _subgroups(
    random: np.random.Generator, size: int, number: int, *, fixed: bool = False
) -> dict[str, Any]:
    level = 20 + _level(random, size, number)
    sizes = np.full(size, 5 if fixed else random.integers(2, 12))
    if number % 3 == 1 and not fixed:
        sizes = random.integers(2, 12, size)
    groups = [
        random.normal(middle, 2, n).round(2).tolist()
        for middle, n in zip(level, sizes, strict=True)
    ]
    return {"subgroups": groups}


def _fives(random: np.random.Generator, size: int, number: int) -> dict[str, Any]:
    """Of one size: another engine takes seconds for the constants of each size of ranges."""
    return _subgroups(random, size, number, fixed=True)


def _times(random: np.random.Generator, size: int, number: int) -> dict[str, Any]:
    scale = 20 * np.exp(_level(random, size, number) / 2)
    columns = {"values": np.maximum(random.exponential(scale), 0.5).round(1).tolist()}
    _holes(columns, random, number)
    return columns


def _gaps_between(random: np.random.Generator, size: int, number: int) -> dict[str, Any]:
    share = np.clip(0.04 * np.exp(_level(random, size, number) / 2), 0.005, 0.9)
    columns = {"values": (random.geometric(share) - 1.0).tolist()}
    _holes(columns, random, number)
    return columns


_DRAW: dict[str, Callable[[np.random.Generator, int, int], dict[str, Any]]] = {
    "run": _measurements,
    "i": _measurements,
    "i_median": _measurements,
    "i_prime": _rates,
    "mr": _measurements,
    "xbar": _subgroups,
    "s": _subgroups,
    "r": _fives,
    "c": _counts,
    "u": _rates,
    "u_prime": _rates,
    "p": _proportions,
    "p_prime": _proportions,
    "np": _samples,
    "t": _times,
    "g": _gaps_between,
}
