"""How long charts take, beside the engines on PyPI; nothing is asserted about time.

Processor time, so that other work on the machine counts little. Every engine gets its data in its
quickest form, ours and the peers' as arrays of numbers, and our labels are dates, whose order is
checked. A chart is done when its lines, flags and signals are at hand.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from time import process_time
from typing import Any

import numpy as np
import pytest

from app.spc import Chart, Series, Settings, SpcError, chart, charts, document

pytestmark = pytest.mark.bench

Timed = dict[str, Callable[[], object]]
_A_ROUND = 0.03  # seconds that the calls of one engine in one round may take
_SLOW = 0.5  # seconds; a call that takes longer is made only twice
_ALL_RULES = dict.fromkeys(("astronomical", "shift", "trend", "two_in_three"), True)


def best_of(timed: Timed, *, rounds: int = 9) -> dict[str, float]:
    """The best mean time of a call in seconds, the rounds interleaved so that all meet one load."""
    best = {name: min(_mean_time(call, 1), _mean_time(call, 1)) for name, call in timed.items()}
    for _ in range(rounds):
        for name, call in timed.items():
            if best[name] < _SLOW:
                best[name] = min(best[name], _mean_time(call, int(_A_ROUND / best[name]) or 1))
    return best


def _mean_time(call: Callable[[], object], calls: int) -> float:
    start = process_time()
    for _ in range(calls):
        call()
    return (process_time() - start) / calls


def show(title: str, peers: Timed, ours: Timed) -> None:
    """Print seconds of all, and how many times faster than the best peer each of ours is."""
    best = best_of(peers | ours)
    fastest = min((best[name] for name in peers), default=None)
    print(f"\n{title}")
    for name, seconds in best.items():
        ratio = f"  {fastest / seconds:7.1f} x" if fastest and name in ours else ""
        print(f"  {name:44} {seconds:12.7f} s{ratio}")


def days(size: int) -> list[str]:
    first = date(1995, 1, 1)
    return [(first + timedelta(row)).isoformat() for row in range(size)]


def measurements(size: int, seed: int = 1) -> Series:
    return Series(days(size), np.random.default_rng(seed).normal(50, 5, size).round(1))


def proportions(size: int, seed: int = 2) -> Series:
    random = np.random.default_rng(seed)
    denominators = random.integers(40, 60, size)
    numerators = random.binomial(denominators, 0.3)
    return Series(
        days(size),
        numerators=numerators.astype(np.float64),
        denominators=denominators.astype(np.float64),
    )


def as_lists(series: Series) -> Series:
    columns = {
        name: column.tolist()
        for name in ("values", "numerators", "denominators")
        if (column := getattr(series, name)) is not None
    }
    return replace(series, **columns)


def one(series: Series, settings: Settings) -> object:
    """What a chart is asked for."""
    return results(chart(series, settings))


def many(requests: Sequence[tuple[Series, Settings]]) -> object:
    return [results(judged) for judged in charts(requests)]


def results(judged: Chart | SpcError) -> object:
    assert isinstance(judged, Chart)
    return judged.values, judged.lines, judged.outside_limits, judged.signals


def peers_of_individuals(batch: Sequence[Series]) -> Timed:
    """Each engine's quickest call that judges all rules of a set, on data in its own form."""
    pandas = pytest.importorskip("pandas")
    compute = pytest.importorskip("qikit.spc.compute").compute
    imr = pytest.importorskip("shewhart").imr
    abspc = pytest.importorskip("abspc")
    spc = pytest.importorskip("controlchartspy").spc
    arrays = [series.values for series in batch]
    frames = [pandas.DataFrame({"value": array}) for array in arrays]
    # controlchartspy takes all series in one call.
    rows = [
        pandas.DataFrame({"series": number, "x": series.x, "value": series.values})
        for number, series in enumerate(batch)
    ]
    joined = pandas.concat(rows)
    options = {"outlier_settings": _ALL_RULES, "return_objs": "limits"}
    if len(batch) > 1:
        options["indicators"] = "series"
    limits, detect = abspc.calculate_control_limits, abspc.detect_special_causes
    return {
        "clinical-qikit compute, anhoej": lambda: [
            compute("i", array, method="anhoej") for array in arrays
        ],
        "shewhart imr, nelson": lambda: [imr(array, rules="nelson") for array in arrays],
        "abspc limits and special causes": lambda: [
            detect(limits(frame, "XmR")) for frame in frames
        ],
        "controlchartspy spc, four rules": lambda: spc(joined, "x", "value", **options),
    }


def peers_of_proportions(batch: Sequence[Series]) -> Timed:
    """The quickest peer alone: the others are ten times slower on individuals."""
    compute = pytest.importorskip("qikit.spc.compute").compute
    pairs: list[Any] = [(series.numerators, series.denominators) for series in batch]
    return {
        "clinical-qikit compute, anhoej": lambda: [
            compute("p", above / below, n=below, method="anhoej") for above, below in pairs
        ]
    }


@pytest.mark.parametrize("size", [24, 100, 10_000])
def test_one_series(size: int) -> None:
    """Is one chart, all rules of its set judged, quicker than the quickest engine's?

    Size: one series of 24, 100 and 10,000 points. Comparison: clinical-qikit's array core,
    shewhart, abspc and controlchartspy, each by its quickest call without drawing. Goals: 2 times
    at 24 points, 10 times at 10,000.
    """
    values, ratios = measurements(size), proportions(size)
    ours: Timed = {
        f"chart i, {name}": partial(one, values, Settings("i", rule_set=name))
        for name in ("anhoej", "mdc", "nelson", "western_electric")
    }
    ours["chart i, anhoej, from lists"] = partial(
        one, as_lists(values), Settings("i", rule_set="anhoej")
    )
    show(f"One i chart, {size} points", peers_of_individuals([values]), ours)
    ours = {
        f"chart p, {name}": partial(one, ratios, Settings("p", rule_set=name))
        for name in ("anhoej", "mdc")
    }
    ours["chart p, anhoej, from lists"] = partial(
        one, as_lists(ratios), Settings("p", rule_set="anhoej")
    )
    show(f"One p chart, {size} points", peers_of_proportions([ratios]), ours)


def test_a_thousand_series() -> None:
    """Are the charts of a whole programme quicker, together and one by one?

    Size: 1,000 series of 36 points. Comparison: the same engines, in a loop or, where they can, in
    one call. Goal: 10 times.
    """
    values = [measurements(36, seed) for seed in range(1_000)]
    ratios = [proportions(36, seed) for seed in range(1_000)]
    alone = Settings("i", rule_set="anhoej")
    ours: Timed = {
        f"charts i, {name}": partial(many, beside(Settings("i", rule_set=name), values))
        for name in ("anhoej", "mdc", "nelson")
    }
    lists = [as_lists(each) for each in values]
    ours["charts i, anhoej, from lists"] = partial(many, beside(alone, lists))
    ours["chart i, anhoej, in a loop"] = lambda: [one(each, alone) for each in values]
    show("1,000 i charts of 36 points", peers_of_individuals(values), ours)
    ours = {
        f"charts p, {name}": partial(many, beside(Settings("p", rule_set=name), ratios))
        for name in ("anhoej", "mdc")
    }
    lists = [as_lists(each) for each in ratios]
    apart = Settings("p", rule_set="anhoej")
    ours["charts p, anhoej, from lists"] = partial(many, beside(apart, lists))
    show("1,000 p charts of 36 points", peers_of_proportions(ratios), ours)


def beside(settings: Settings, batch: Sequence[Series]) -> list[tuple[Series, Settings]]:
    return [(series, settings) for series in batch]


@pytest.mark.parametrize("size", [24, 36, 10_000])
def test_documents(size: int) -> None:
    """What do the JSON rows cost on top of the chart?

    Size: one p chart of 24, 36 and 10,000 points. Comparison: the chart itself.
    """
    series, settings = proportions(size), Settings("p", multiplier=100, target=25)
    judged = chart(series, settings)
    ours: Timed = {
        "chart": lambda: chart(series, settings),
        "document": lambda: document(judged),
    }
    show(f"Document of a p chart, {size} points", {}, ours)
