"""Worked examples of textbooks: the data and the results that they print, to the digits printed.

Unless another source is named: Montgomery, Introduction to Statistical Quality Control, 6th ed.
"""

from typing import Any

import numpy as np
import pytest

from app.spc import Chart, Series, Settings, chart
from app.spc.constants import c4, d2_d3
from tests.spc.requests import labels

LOANS = [310, 288, 297, 298, 307, 303, 294, 297, 308, 306]
LOANS += [294, 299, 297, 299, 314, 295, 293, 306, 301, 304]
JUICE = [12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22]
JUICE += [8, 10, 5, 13, 11, 20, 18, 24, 15, 9, 12, 7, 13, 9, 6]
BOARDS = [21, 24, 16, 12, 15, 5, 28, 20, 31, 25, 20, 24, 16]
BOARDS += [19, 10, 17, 13, 22, 18, 39, 30, 24, 16, 19, 17, 15]
SHIPMENTS = [2, 3, 8, 1, 1, 4, 1, 4, 5, 1, 8, 2, 4, 3, 4, 1, 8, 3, 7, 4]
ORDERS = [12, 8, 6, 9, 10, 12, 11, 16, 10, 6, 20, 15, 9, 8, 6, 8, 10, 7, 5, 8, 5, 8, 10, 6, 9]
ORDER_SIZES = [100, 80, 80, 100, 110, 110, 100, 100, 90, 90, 110, 120, 120]
ORDER_SIZES += [120, 110, 80, 80, 80, 90, 100, 100, 100, 100, 90, 90]
FAILURES = [286, 948, 536, 124, 816, 729, 4, 143, 431, 8]
FAILURES += [2837, 596, 81, 227, 603, 492, 1199, 1214, 2831, 96]
# Inside diameters of piston rings in micrometres over 74 mm; 25 samples of five (table 6.3).
RINGS = [
    *([30, 2, 19, -8, 8], [-5, -8, 1, 11, 4], [-12, 24, 21, 5, 2], [2, -4, -7, 15, 9]),
    *([-8, 7, 15, -11, 14], [9, -6, -3, -15, -7], [-5, 6, -6, 0, 5], [-15, 3, -7, 15, -12]),
    *([8, -5, 9, 5, 4], [-2, 0, -10, 7, -5], [-6, -2, -6, -5, -10], [4, 0, 7, 0, -4]),
    *([-17, 2, -2, -3, 12], [6, -33, -6, 0, -16], [12, 14, -2, -1, 7], [0, -16, 5, -2, -4]),
    *([-6, 12, -14, 5, 7], [6, 10, 18, 3, 0], [-16, 2, 3, 5, -3], [0, 10, 13, 20, 3]),
    *([-18, 1, 15, 5, -4], [4, -1, -10, 6, 9], [10, -11, -10, 9, 14], [15, 8, -7, 0, 10]),
    [-18, -16, -5, 17, 13],
]
DIAMETERS = [[74 + micrometres / 1000 for micrometres in ring] for ring in RINGS]


def draw(name: str, **data: Any) -> Chart:
    """The chart as textbooks draw it, with every moving range."""
    (size,) = {len(column) for column in data.values()}
    settings = Settings(name, rule_set="limits_only", screen_moving_ranges=False)
    return chart(Series(labels(size), **data), settings)


def outside(judged: Chart) -> list[int]:
    """Numbers of the points outside the limits, from 1 as in books."""
    return (np.flatnonzero(judged.outside_limits) + 1).tolist()


@pytest.mark.parametrize(
    ("name", "data", "printed", "signals"),
    [
        ("i", {"values": LOANS}, (300.5, 279.78, 321.22), []),
        ("mr", {"values": LOANS}, (7.79, 0, 25.45), []),
        ("p", {"numerators": JUICE, "denominators": [50] * 30}, (0.2313, 0.0524, 0.4102), [15, 23]),
        ("c", {"values": BOARDS}, (19.85, 6.48, 33.21), [6, 20]),
        ("u", {"numerators": SHIPMENTS, "denominators": [50] * 20}, (0.0740, 0, 0.1894), []),
        ("xbar", {"subgroups": DIAMETERS}, (74.001, 73.988, 74.015), []),
        ("s", {"subgroups": DIAMETERS}, (0.0094, 0, 0.0196), []),
        ("r", {"subgroups": DIAMETERS}, (0.023, 0, 0.049), []),
    ],
)
def test_centre_and_limits(
    name: str, data: dict[str, Any], printed: tuple[float, ...], signals: list[int]
) -> None:
    judged = draw(name, **data)
    digits = [len(str(number).partition(".")[2]) for number in printed]
    computed = judged.lines[:3, 0].tolist()
    assert [round(*pair) for pair in zip(computed, digits, strict=True)] == list(printed)
    assert outside(judged) == signals


def test_a_p_chart_with_samples_of_varying_size() -> None:
    judged = draw("p", numerators=ORDERS, denominators=ORDER_SIZES)
    assert judged.phases[0].centre == pytest.approx(0.096, abs=5e-4)
    assert judged.lower_limit[:2].round(3).tolist() == [0.007, 0.0]
    assert judged.upper_limit[:2].round(3).tolist() == [0.184, 0.194]
    assert outside(judged) == [11]


def test_an_np_chart_is_the_p_chart_in_counts() -> None:
    judged = draw("np", numerators=JUICE, denominators=[50] * 30)
    assert judged.lines[:3, 0].tolist() == pytest.approx([11.565, 2.620, 20.510], abs=3e-3)
    assert judged.values.tolist() == JUICE
    assert judged.phases[0].centre == pytest.approx(347 / 30)
    assert outside(judged) == [15, 23]


def test_times_between_failures_of_a_valve() -> None:
    """The mean of the roots that the book prints is 5.3866; its exponent is rounded to 0.2777."""
    judged = draw("t", values=FAILURES)
    assert judged.centre[0] ** 0.2777 == pytest.approx(5.387, abs=2e-3)
    assert outside(judged) == []


@pytest.mark.parametrize(
    ("size", "printed"),
    [
        (2, (0.7979, 1.128, 0.853)),
        (3, (0.8862, 1.693, 0.888)),
        (4, (0.9213, 2.059, 0.880)),
        (5, (0.9400, 2.326, 0.864)),
        (6, (0.9515, 2.534, 0.848)),
        (7, (0.9594, 2.704, 0.833)),
        (8, (0.9650, 2.847, 0.820)),
        (9, (0.9693, 2.970, 0.808)),
        (10, (0.9727, 3.078, 0.797)),
        (15, (0.9823, 3.472, 0.756)),
        (20, (0.9869, 3.735, 0.729)),
        (25, (0.9896, 3.931, 0.708)),
    ],
)
def test_constants_of_appendix_six(size: int, printed: tuple[float, float, float]) -> None:
    sizes = np.array([float(size)])
    computed = [float(constant[0]) for constant in (c4(sizes), *d2_d3(sizes))]
    assert computed[0] == pytest.approx(printed[0], abs=5.1e-5)
    assert computed[1:] == pytest.approx(printed[1:], abs=5.1e-4)


def test_constants_known_exactly() -> None:
    two_and_three = np.array([2.0, 3.0])
    d2, d3 = d2_d3(two_and_three)
    assert d2.tolist() == pytest.approx([2 / np.pi**0.5, 3 / np.pi**0.5], rel=1e-9)
    assert d3[0] == pytest.approx((2 - 4 / np.pi) ** 0.5, rel=1e-9)
    assert c4(two_and_three)[1] == pytest.approx(np.pi**0.5 / 2, rel=1e-12)
    hundred = np.array([100.0])
    assert [float(each[0]) for each in d2_d3(hundred)] == pytest.approx(
        [5.015187272883, 0.605179109488], rel=1e-9
    )
    assert np.isnan(c4(np.array([1.0, np.nan]))).all()
