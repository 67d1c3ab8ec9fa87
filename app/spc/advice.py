"""Which chart suits a type of data and the data themselves, and which rules suit a chart."""

from collections.abc import Collection, Sequence
from datetime import date
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from app.spc.charts import CHARTS
from app.spc.series import Observations, Series, observe_ratios, observe_values
from app.spc.spread import (
    BasePoints,
    autocorrelation,
    base_points,
    mean_events,
    sigma_z,
    standardised,
    varies_more,
)

_ENOUGH_EVENTS = 5  # a point, from which the limits of counts are about symmetrical
_ENOUGH_POINTS = 12  # below, limits are trial limits
_RARE = 0.25  # share of points that count nothing
# By data type: the usual chart, and why.
_CHOICES: dict[str, tuple[str, str]] = {
    "proportion": ("p", "Each point is a share of cases; p limits follow the number of cases."),
    "yes_no": ("p", "Each point is a share of cases; p limits follow the number of cases."),
    "rate": ("u", "Each point is a rate of events; u limits follow the size of the exposure."),
    "count": (
        "c",
        "Each point is a count of events of equal opportunity, as a c chart assumes.",
    ),
    "continuous": ("i", "Each point is one measurement; an i chart shows it with limits."),
    "time_between": ("t", "Each point is the time between rare events; a t chart evens out skew."),
    "count_between": ("g", "Each point is the number of cases between rare events."),
}
_ANY = ("run", "A run chart suits any series: it assumes nothing of the distribution.")
# Charts that are worth a thought beside the recommended one, and when to choose them.
_WORTH: dict[str, tuple[tuple[str, str], ...]] = {
    "share": (
        ("run", "with fewer than 12 points, or fewer than 5 cases of the rarer outcome a point"),
        ("p_prime", "when points vary more than their counts explain, as with very many cases"),
        ("np", "when every point has the same number of cases and counts are easier to read"),
        ("i", "when the denominators are about equal and a p chart's limits look far too narrow"),
    ),
    "rate": (
        ("run", "with fewer than 12 points, or fewer than 5 events a point"),
        ("u_prime", "when points vary more than their counts explain"),
        ("c", "when every point has the same exposure: then chart the count alone"),
        ("t", "when most points count nothing: record the days between events instead"),
        ("g", "when most points count nothing: record the cases between events instead"),
    ),
    "count": (
        ("run", "with fewer than 12 points, or fewer than 5 events a point"),
        ("i", "when points vary more than a c chart lets them"),
        ("u", "when opportunity varies: record a denominator too"),
        ("t", "when most points count nothing: record the days between events instead"),
        ("g", "when most points count nothing: record the cases between events instead"),
    ),
    "continuous": (
        ("run", "with fewer than 12 points, or values that are far from symmetrical"),
        ("i_median", "when a few extreme values pull the mean away from the usual level"),
        ("xbar", "when every point is a subgroup of several measurements; show an s chart beside"),
        ("i_prime", "when points rest on very different numbers of cases"),
    ),
    "between": (
        ("run", "with fewer than 12 events, or values of zero"),
        ("i", "when events are common and the values about symmetrical"),
    ),
}
_KINDS = {
    "proportion": "share",
    "yes_no": "share",
    "rate": "rate",
    "count": "count",
    "time_between": "between",
    "count_between": "between",
}


class Alternative(NamedTuple):
    """A chart other than the recommended one, and when to choose it."""

    chart: str
    when: str


class Objection(NamedTuple):
    """What the data say against the chart that their type asks for."""

    code: str
    detail: str


class ChartAdvice(NamedTuple):
    """The chart to draw, why, what else, and what speaks against the usual one."""

    chart: str
    reason: str
    alternatives: tuple[Alternative, ...]
    against: tuple[Objection, ...]


def recommend_chart(data_type: str) -> str:
    """The chart for a measure's data type; a run chart, which suits any series, for all others."""
    usual, _ = _CHOICES.get(data_type, _ANY)
    return usual


def default_rule_set(chart: str) -> str:
    """`mdc` for charts with limits, `anhoej` for those without.

    A chart whose points depend on their neighbours takes no rules about runs: `limits_only`.
    """
    known = CHARTS.get(chart)
    if known is None or not known.has_limits:
        return "anhoej"
    return "mdc" if known.run_rules else "limits_only"


def advise_chart(
    data_type: str, series: Series | None = None, *, among: Collection[str] | None = None
) -> ChartAdvice:
    """Which chart to draw of a measure, from its data type and, where given, its data.

    among: the charts that may be recommended; all if None. Alternatives may lie outside: they say
    what to record instead. Raises SpcError for data that are no series.
    """
    usual, why = _CHOICES.get(data_type, _ANY)
    chart, reason = usual, why
    against = () if series is None else _objections(series, usual, data_type)
    for objection in against:
        instead = _instead(objection.code, usual, among)
        if instead is not None and instead != usual:
            chart, reason = instead, objection.detail
            break
    worth = _WORTH[_KINDS.get(data_type, "continuous")]
    named = ((usual, f"usually for this type of data: {why}"), *worth)
    alternatives = [Alternative(*each) for each in named if each[0] in CHARTS and each[0] != chart]
    return ChartAdvice(chart, reason, tuple(alternatives), against)


def _instead(code: str, usual: str, among: Collection[str] | None) -> str | None:
    """The best chart that an objection leaves; None if it concerns every chart alike."""
    wanted = {
        "over_dispersed": (f"{usual}_prime", "i"),
        "not_positive": ("g", "i", "run"),
        "few_points": ("run",),
        "many_zeros": ("run",),
        "small_counts": ("run",),
    }
    allowed = CHARTS.keys() if among is None else CHARTS.keys() & set(among)
    return next((name for name in wanted.get(code, ()) if name in allowed), None)


def _objections(series: Series, usual: str, data_type: str) -> tuple[Objection, ...]:
    """What the data say, the gravest first."""
    with np.errstate(all="ignore"):  # zero denominators and huge numbers are expected
        observed = _observe(series)
        kept = observed.values == observed.values
        if observed.excluded is not None:
            kept &= ~observed.excluded
        points = int(np.count_nonzero(kept))
        if points < 3:
            return ()
        base = base_points(observed, 0, len(kept), points)
        found = (
            _not_positive(base, data_type),
            _rare(base, usual),
            _dispersed(base, usual),
            _few(points, usual),
            _constant(base),
            _alike(base, usual),
            _uneven(series.x),
        )
    return tuple([objection for objection in found if objection is not None])


def _observe(series: Series) -> Observations:
    return observe_values([series]) if series.numerators is None else observe_ratios([series])


def _not_positive(base: BasePoints, data_type: str) -> Objection | None:
    count = int(np.count_nonzero(base.values <= 0))
    if data_type != "time_between" or not count:
        return None
    detail = f"{count} of the times are zero or less, which a t chart cannot show."
    return Objection("not_positive", detail)


def _rare(base: BasePoints, usual: str) -> Objection | None:
    events = mean_events(base, usual)
    if events is None or events >= _ENOUGH_EVENTS:
        return None
    points = len(base.values)
    zeros = points - int(np.count_nonzero(base.values))
    if zeros > _RARE * points:
        detail = (
            f"{zeros} of {points} points count nothing: the events are rare. Record the days (t "
            "chart) or the cases (g chart) between them; of the present data draw a run chart."
        )
        return Objection("many_zeros", detail)
    what = "cases of the rarer outcome" if usual == "p" else "events"
    detail = (
        f"A point counts only {events:.1f} {what} on average, too few for the limits of a {usual} "
        "chart; a run chart needs none."
    )
    return Objection("small_counts", detail)


def _dispersed(base: BasePoints, usual: str) -> Objection | None:
    events = mean_events(base, usual)
    if not events or events < _ENOUGH_EVENTS or not varies_more(base, usual):
        return None
    ratio = sigma_z(standardised(base, usual))
    if ratio is None:
        return None
    detail = (
        f"The points vary {ratio:.1f} times as much as their counts explain, so the limits of a "
        f"{usual} chart are too narrow and signal too often."
    )
    return Objection("over_dispersed", detail)


def _few(points: int, usual: str) -> Objection | None:
    if points >= _ENOUGH_POINTS or not CHARTS[usual].has_limits:
        return None
    detail = (
        f"{points} points give only trial limits; until there are {_ENOUGH_POINTS}, a run chart "
        "promises no more than it holds."
    )
    return Objection("few_points", detail)


def _constant(base: BasePoints) -> Objection | None:
    """Equal denominators: nothing is wrong with the chart, but a simpler one says the same."""
    sizes = base.denominators
    if sizes is None or sizes[0] == 1 or np.count_nonzero(sizes != sizes[0]):
        return None
    detail = f"Every point has a denominator of {sizes[0]:g}; a chart of counts says the same."
    return Objection("constant_denominators", detail)


def _alike(base: BasePoints, usual: str) -> Objection | None:
    values = base.values
    if mean_events(base, usual):
        values = standardised(base, usual)
    likeness = autocorrelation(values)
    if likeness is None:
        return None
    detail = (
        f"Neighbouring points are alike (correlation {likeness:.1f}): every chart will signal too "
        "often, unless the process has changed; look for the change, or collect less often."
    )
    return Objection("autocorrelated", detail)


def _uneven(labels: Sequence[str]) -> Objection | None:
    try:
        days = [date.fromisoformat(label).toordinal() for label in labels]
    except ValueError:  # labels need not be days
        return None
    steps = sorted(after - before for before, after in pairwise(days))
    usual_step = steps[len(steps) // 2]
    long = sum(step >= 1.5 * usual_step for step in steps)
    if long <= 0.1 * len(steps):
        return None
    detail = (
        f"{long} of {len(steps)} steps between points are half as long again as usual, or more; if "
        "periods are missing, add them as gaps, because every chart draws points at equal steps."
    )
    return Objection("uneven_spacing", detail)
