"""Where new limits may be due: the Stable Shift Algorithm, which proposes and never applies.

Limits are taken anew where a run on one side of the centre shows a shift, provided that the shift
lasts: under the limits that it would bring, no run leads back towards the old level.

Source: the R package autospc (github.com/HorridTom/autospc), vignette "The Stable Shift Algorithm",
from whose words this was written; its defaults are runs of 8 and periods of 21 points.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import fields, replace
from typing import Literal, NamedTuple

import numpy as np

from app.spc.engine import chart
from app.spc.results import Chart
from app.spc.series import FloatArray, Series
from app.spc.settings import Settings

RUN_LENGTH = 8
PERIOD_POINTS = 21
_CHARTS_OF_SPREAD = frozenset({"mr", "r", "s"})  # their points are no levels
_JUDGED_AS = {"np": "p"}  # the level of a share does not follow the size of each sample

Sides = Sequence[int]  # 1 above the centre, -1 below, 0 on it


class Level(NamedTuple):
    """Centre and limits at one point, in the displayed unit; None where undefined."""

    centre: float | None
    lower_limit: float | None
    upper_limit: float | None


class Shift(NamedTuple):
    """A shift that lasts. Rows are those of the series."""

    start: int  # first row of the run, and of the phase that it proposes
    direction: Literal["high", "low"]
    run_rows: tuple[int, ...]  # of the run that shows the shift, as far as it goes
    period_stop: int  # row after those that the new limits are taken from
    before: Level  # at `start`, by the limits of today
    after: Level  # at `start`, by the new limits


def find_shift(
    series: Series,
    settings: Settings,
    *,
    run_length: int = RUN_LENGTH,
    period_points: int = PERIOD_POINTS,
    declined: Collection[int] = (),
) -> Shift | None:
    """The next lasting shift of the last phase, or None.

    The limits of that phase come from its baseline, or from its first `period_points` points where
    it states none; the search begins after them. `declined` are starts of shifts that somebody has
    turned down: the runs that they stand in are passed over. Points on the centre, gaps and
    excluded points neither make nor end a run. Appending points never changes a shift once found.
    Raises SpcError for input that cannot be charted.
    """
    first = max(settings.phase_starts, default=0)
    phase = _cut(series, first, len(series.x))
    if settings.chart in _CHARTS_OF_SPREAD or len(phase.x) < 2 * period_points:
        return None
    judged = replace(settings, chart=_JUDGED_AS.get(settings.chart, settings.chart))
    kept = _kept(phase, judged)
    if len(kept) < 2 * period_points:
        return None
    baseline = _baseline(settings) or kept[period_points - 1] + 1
    drawn = _draw(phase, judged, baseline)
    values = drawn.values[kept]
    sides = _sides(values, drawn.centre[kept])
    turned_down = {place for place, row in enumerate(kept) if first + row in declined}
    begin = next((place for place, row in enumerate(kept) if row >= baseline), len(kept))
    for run in _triggers(sides, begin, run_length, len(kept) - period_points, turned_down):
        start, stop = kept[run[0]], kept[run[0] + period_points - 1] + 1
        period = _cut(phase, start, stop)
        later = _sides(values[run[0] :], _draw(period, judged, None).centre[0])
        if not _goes_back(later, -sides[run[0]], period_points, run_length):
            return Shift(
                first + start,
                "high" if sides[run[0]] > 0 else "low",
                tuple(first + kept[place] for place in run),
                first + stop,
                _level(_draw(phase, settings, baseline), start, settings.multiplier),
                _level(_draw(period, settings, None), 0, settings.multiplier),
            )
    return None


def _triggers(
    sides: Sides, begin: int, run_length: int, last: int, turned_down: set[int]
) -> Iterator[list[int]]:
    """Places of every run that is long enough and starts from `begin` to `last`, in order.

    Runs within a longer run count: the next starts one point later.
    """
    for run in _whole_runs(sides):
        if turned_down and not turned_down.isdisjoint(run):
            continue
        reachable = [place for place in run if place >= begin]
        for skipped in range(len(reachable) - run_length + 1):
            if reachable[skipped] > last:
                return
            yield reachable[skipped:]


def _whole_runs(sides: Sides) -> list[list[int]]:
    """Places on one side of the centre without one on the other between them."""
    runs: list[list[int]] = []
    latest = 0
    for place, side in enumerate(sides):
        if side and side != latest:
            runs.append([])
            latest = side
        if side:
            runs[-1].append(place)
    return runs


def _goes_back(sides: Sides, back: int, period_points: int, run_length: int) -> bool:
    """Whether a run back to the old level begins among the points of the new limits.

    One that lasts to the end of the data counts, however short: it may yet become long.
    """
    latest = length = 0
    for place, side in enumerate(sides):
        if side and side != latest:
            if place >= period_points:
                return False
            latest, length = side, 0
        length += bool(side)
        if latest == back and length >= run_length:
            return True
        if latest != back and place >= period_points:
            return False
    return latest == back


def _kept(phase: Series, settings: Settings) -> list[int]:
    """Rows that have a value and are not excluded."""
    present = _draw(phase, settings, None).present
    if phase.excluded is not None:
        present = present & ~np.array(phase.excluded, dtype=np.bool_)
    rows: list[int] = np.flatnonzero(present).tolist()
    return rows


def _sides(values: FloatArray, centre: FloatArray | float) -> Sides:
    sides: list[int] = ((values > centre).astype(int) - (values < centre).astype(int)).tolist()
    return sides


def _cut(series: Series, start: int, stop: int) -> Series:
    """The points of some rows."""
    given = {field.name: getattr(series, field.name) for field in fields(series)}
    return replace(
        series, **{name: part[start:stop] for name, part in given.items() if part is not None}
    )


def _draw(phase: Series, settings: Settings, baseline: int | None) -> Chart:
    """One phase in raw units, so that sides are judged as the engine judges them."""
    alone = replace(
        settings,
        phase_starts=(),
        phase_labels=None,
        phase_reasons=None,
        baseline_points=baseline,
        target=None,
        multiplier=1,
    )
    return chart(phase, alone)


def _baseline(settings: Settings) -> int | None:
    """Rows of the last phase's baseline."""
    given = settings.baseline_points
    return given if given is None or isinstance(given, int) else given[-1]


def _level(drawn: Chart, row: int, multiplier: float) -> Level:
    lines = (drawn.centre[row], drawn.lower_limit[row], drawn.upper_limit[row])
    scaled = [float(line * multiplier) for line in lines]
    return Level(*(line if np.isfinite(line) else None for line in scaled))
