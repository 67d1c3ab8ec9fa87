"""How long chart() takes, beside the fastest engine on PyPI; nothing is asserted about time."""

from collections.abc import Callable
from time import perf_counter

import numpy as np
import pytest

from app.spc import Series, Settings, chart, document

pytestmark = pytest.mark.bench

Timed = dict[str, Callable[[], object]]


def best_of(timed: Timed, *, calls: int, rounds: int = 7) -> dict[str, float]:
    """The best mean time of a call in seconds, the rounds interleaved so that all meet one load."""
    best = dict.fromkeys(timed, float("inf"))
    for _ in range(rounds):
        for name, call in timed.items():
            start = perf_counter()
            for _ in range(calls):
                call()
            best[name] = min(best[name], (perf_counter() - start) / calls)
    return best


def show(title: str, best: dict[str, float], against: str | None = None) -> None:
    print(f"\n{title}")
    for name, seconds in best.items():
        ratio = f"  {best[against] / seconds:6.1f} x" if against else ""
        print(f"  {name:34} {seconds * 1e6:12.1f} us{ratio}")


def measurements(size: int, seed: int = 1) -> Series:
    values = np.random.default_rng(seed).normal(50, 5, size).round(1)
    return Series([f"{row:05d}" for row in range(size)], values.tolist())


def proportions(size: int) -> Series:
    random = np.random.default_rng(2)
    denominators = random.integers(40, 60, size)
    numerators = random.binomial(denominators, 0.3)
    return Series(
        [f"{row:05d}" for row in range(size)],
        numerators=numerators.tolist(),
        denominators=denominators.tolist(),
    )


def as_array(series: Series) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array(series.values, dtype=np.float64)


@pytest.mark.parametrize(("size", "calls"), [(24, 300), (36, 300), (10_000, 3)])
def test_one_series(size: int, calls: int) -> None:
    """Is one chart, all rules of its set judged, quicker than clinical-qikit's?

    Size: one series of 24, 36 and 10,000 points. Comparison: `compute`, the array core of
    clinical-qikit, with the same runs analysis; and `qic`, the call its manual names.
    """
    qikit = pytest.importorskip("qikit")
    compute = pytest.importorskip("qikit.spc.compute").compute
    values, ratios = measurements(size), proportions(size)
    array = as_array(values)
    numerators = np.array(ratios.numerators, dtype=np.float64)
    denominators = np.array(ratios.denominators, dtype=np.float64)
    individuals: Timed = {
        "clinical-qikit compute i anhoej": lambda: compute("i", array, method="anhoej"),
        "clinical-qikit qic i anhoej": lambda: qikit.qic(y=array, chart="i"),
        "chart i anhoej": lambda: chart(values, Settings("i", rule_set="anhoej")),
        "chart i mdc": lambda: chart(values, Settings("i", rule_set="mdc")),
        "chart run anhoej": lambda: chart(values, Settings("run")),
    }
    best = best_of(individuals, calls=calls)
    show(f"One i or run chart, {size} points", best, "clinical-qikit compute i anhoej")
    shares: Timed = {
        "clinical-qikit compute p anhoej": lambda: compute(
            "p", numerators / denominators, n=denominators, method="anhoej"
        ),
        "chart p anhoej": lambda: chart(ratios, Settings("p", rule_set="anhoej")),
        "chart p mdc": lambda: chart(ratios, Settings("p", rule_set="mdc")),
    }
    best = best_of(shares, calls=calls)
    show(f"One p chart, {size} points", best, "clinical-qikit compute p anhoej")


def test_a_thousand_series() -> None:
    """Are the charts of a whole programme quicker, one by one?

    Size: 1,000 series of 36 points. Comparison: `compute` of clinical-qikit in a loop.
    """
    compute = pytest.importorskip("qikit.spc.compute").compute
    series = [measurements(36, seed) for seed in range(1000)]
    arrays = [as_array(each) for each in series]
    settings = Settings("i", rule_set="anhoej")
    timed: Timed = {
        "clinical-qikit compute i anhoej": lambda: [compute("i", each) for each in arrays],
        "chart i anhoej": lambda: [chart(each, settings) for each in series],
    }
    best = best_of(timed, calls=1, rounds=3)
    show("1,000 series of 36 points", best, "clinical-qikit compute i anhoej")


@pytest.mark.parametrize(("size", "calls"), [(24, 300), (36, 300), (10_000, 3)])
def test_documents(size: int, calls: int) -> None:
    """What do the JSON rows cost on top of the chart?

    Size: one p chart of 24, 36 and 10,000 points. Comparison: the chart itself.
    """
    series, settings = proportions(size), Settings("p", multiplier=100, target=25)
    judged = chart(series, settings)
    timed: Timed = {
        "chart": lambda: chart(series, settings),
        "document": lambda: document(judged),
    }
    show(f"Document of a p chart, {size} points", best_of(timed, calls=calls))
