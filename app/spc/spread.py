"""How base points spread: against what their counts explain, and from neighbour to neighbour.

Both come from squared differences: a few dot products, because every chart pays for them.
"""

import math
from typing import NamedTuple

import numpy as np

from app.spc.charts import D2
from app.spc.means import screened_average
from app.spc.series import FloatArray, Observations

_CHARTS_OF_SHARES = frozenset({"p", "p_prime", "np"})
_CHARTS_OF_COUNTS = frozenset({"c", "u", "u_prime"}) | _CHARTS_OF_SHARES
# A standard deviation taken from successive differences of k points has a relative standard error
# of about 0.9 / sqrt(k - 1); chance alone exceeds 2.5 of these once in 150 stable series.
_CHANCE = 2.5 * 0.9
_NOTABLE = 1.2  # sigma z that hardly moves the limits is no news, however certain
_FEWEST_TO_CORRELATE = 20
_ALIKE = 0.3


class BasePoints(NamedTuple):
    """Base points in order, without gaps and exclusions, in raw units."""

    values: FloatArray
    numerators: FloatArray | None  # None where the series states plain values
    denominators: FloatArray | None
    events: float  # sum of the numerators, or of plain values
    cases: float  # sum of the denominators, or the number of plain values

    @property
    def centre(self) -> float:
        """The mean, or the ratio of the sums."""
        return self.events / self.cases


def base_points(observed: Observations, start: int, stop: int, expected: int) -> BasePoints:
    """The base points among these rows, of which there are `expected`, one at least."""
    rows = slice(start, stop)
    values, kept = observed.values[rows], slice(None)
    if expected != stop - start:
        kept = values == values
        if observed.excluded is not None:
            kept &= ~observed.excluded[rows]
        values = values[kept]
    if observed.numerators is None or observed.denominators is None:
        return BasePoints(values, None, None, _total(values), len(values))
    numerators, denominators = observed.numerators[rows][kept], observed.denominators[rows][kept]
    return BasePoints(values, numerators, denominators, _total(numerators), _total(denominators))


def _total(numbers: FloatArray) -> float:
    # Of so few numbers faster than numpy's sum, and the same on every machine.
    total: float = sum(numbers.tolist())
    return total


def mean_events(base: BasePoints, chart: str) -> float | None:
    """Mean count a point, of proportions that of the rarer outcome; None for other data."""
    if chart not in _CHARTS_OF_COUNTS:
        return None
    events = base.events
    if chart in _CHARTS_OF_SHARES:
        events = min(events, base.cases - events)
    return events / len(base.values)


def _explained(base: BasePoints, chart: str) -> float:
    """The variance that counts of one case have by chance."""
    centre = base.centre
    return centre * (1 - centre) if chart in _CHARTS_OF_SHARES else centre


def varies_more(base: BasePoints, chart: str) -> bool:
    """Whether counts vary more than chance lets them, at a glance: the sum of squares alone.

    Where they do not, they are neither over-dispersed nor alike in neighbours.
    """
    weighted = base.values if base.numerators is None else base.numerators
    squares = weighted.dot(base.values) - base.centre * base.events
    by_chance = (len(base.values) - 1) * _explained(base, chart)
    return bool(squares > _NOTABLE * _NOTABLE * by_chance)


def standardised(base: BasePoints, chart: str) -> FloatArray:
    """Deviations from the centre over the sigma that the counts explain; NaN if that is 0."""
    explained = _explained(base, chart)
    sigma = math.sqrt(explained) if explained > 0 else math.nan
    deviations: FloatArray = (base.values - base.centre) / sigma
    return deviations if base.denominators is None else deviations * np.sqrt(base.denominators)


def sigma_z(deviations: FloatArray) -> float | None:
    """Laney's sigma z, if standardised values vary notably more than by chance; else None.

    Moving ranges are screened, as on the prime charts: one stray point must not speak for all.
    """
    size = len(deviations)
    least = max(_NOTABLE, 1 + _CHANCE / math.sqrt(size - 1))
    steps = np.abs(deviations[1:] - deviations[:-1])
    found = screened_average(steps.tolist()) / D2["standard"]
    return found if found > least else None


def autocorrelation(values: FloatArray) -> float | None:
    """Correlation of neighbours, if it is notable and no chance (from 20 points on); else None."""
    size = len(values)
    if size < _FEWEST_TO_CORRELATE:
        return None
    squares = float(values.dot(values))
    mean = _total(values) / size
    total = squares - mean * mean * size
    if not total > 1e-9 * squares:  # equal values, or too near to it for doubles
        return None
    steps = values[1:] - values[:-1]
    found = 1 - float(steps.dot(steps)) * size / (size - 1) / total / 2
    return found if found > max(_ALIKE, 2.58 / math.sqrt(size)) else None
