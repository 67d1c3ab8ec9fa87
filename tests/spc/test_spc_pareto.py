"""Pareto charts: order, exact shares, the vital few, the others last, and what is refused."""

import json
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.spc import SpcError
from app.spc.pareto import Category, ParetoSettings, pareto

# Juran's kind of table: complaints of a fictional practice.
COMPLAINTS = {"Waiting": 82, "Phones": 61, "Forms": 9, "Parking": 22, "Manner": 14}


def draw(values: Mapping[str, float], other: float | None = None, **chosen: Any) -> dict[str, Any]:
    categories = [Category(label, value) for label, value in values.items()]
    if other is not None:
        categories.insert(0, Category("Other", other, is_other=True))
    return pareto(categories, ParetoSettings(**chosen))


def column(document: dict[str, Any], name: str) -> list[Any]:
    return [row[name] for row in document["categories"]]


def test_the_order_the_shares_and_the_vital_few() -> None:
    chart = draw(COMPLAINTS, title="Complaints")
    assert column(chart, "label") == ["Waiting", "Phones", "Parking", "Manner", "Forms"]
    assert column(chart, "share")[0] == pytest.approx(82 / 188)
    assert column(chart, "cumulative_share") == pytest.approx(
        [82 / 188, 143 / 188, 165 / 188, 179 / 188, 1]
    )
    assert column(chart, "is_vital") == [True, True, True, False, False]
    assert (chart["vital_few"], chart["total"]) == (3, 188)


def test_exactly_eighty_per_cent_is_enough() -> None:
    """0.1 + 0.7 is a little less than 0.8 in binary; the decimals that were sent are not."""
    chart = draw({"a": 0.7, "b": 0.1, "c": 0.1, "d": 0.1})
    assert column(chart, "is_vital") == [True, True, False, False]
    assert column(draw({"a": 8, "b": 2}), "is_vital") == [True, False]


def test_equal_values_stand_by_label_and_others_last() -> None:
    chart = draw({"b": 5, "a": 5, "c": 4}, other=50)
    assert column(chart, "label") == ["a", "b", "c", "Other"]
    assert column(chart, "is_vital") == [True, True, True, False]
    codes = [warning["code"] for warning in chart["quality"]["warnings"]]
    assert codes == ["other_largest", "no_vital_few"]


def test_one_category_is_all() -> None:
    chart = draw({"a": 3})
    assert column(chart, "cumulative_share") == [1]
    assert chart["vital_few"] == 1
    assert chart["quality"]["warnings"] == []


values_by_label = st.dictionaries(
    st.text(max_size=5), st.integers(1, 30) | st.floats(1e-9, 1e15), min_size=1, max_size=12
)


@given(values_by_label, st.randoms(use_true_random=False), st.sampled_from([0.5, 0.8, 1.0]))
def test_it_does_not_depend_on_the_order(
    values: dict[str, float], chance: Any, threshold: float
) -> None:
    shuffled = list(values.items())
    chance.shuffle(shuffled)
    one = draw(values, threshold=threshold)
    assert json.dumps(one) == json.dumps(draw(dict(shuffled), threshold=threshold))


@given(values_by_label, st.sampled_from([0.5, 0.8, 1.0]))
def test_the_vital_few_are_the_fewest_that_suffice(
    values: dict[str, float], threshold: float
) -> None:
    chart = draw(values, threshold=threshold)
    falling = sorted((Fraction(str(value)) for value in values.values()), reverse=True)
    wanted = Fraction(str(threshold)) * sum(falling)
    few = chart["vital_few"]
    assert sum(falling[:few]) >= wanted
    assert sum(falling[: few - 1]) < wanted
    assert column(chart, "cumulative_share")[-1] == 1
    assert column(chart, "cumulative_share") == sorted(column(chart, "cumulative_share"))


@given(st.dictionaries(st.text(max_size=5), st.integers(1, 99), min_size=1, max_size=9))
def test_shares_are_free_of_the_unit(values: dict[str, int]) -> None:
    one, other = draw(dict(values)), draw({label: 60 * value for label, value in values.items()})
    for name in ("label", "share", "cumulative_share", "is_vital"):
        assert column(one, name) == column(other, name)


def refusal(categories: list[Category], **chosen: Any) -> tuple[str, str]:
    with pytest.raises(SpcError) as refused:
        pareto(categories, ParetoSettings(**chosen))
    return refused.value.code, refused.value.pointer


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_a_category_has_a_value_above_zero(value: float) -> None:
    categories = [Category("a", 3), Category("b", value)]
    assert refusal(categories) == ("value_not_positive", "/categories/1/value")


def test_refusals() -> None:
    one = Category("a", 3)
    assert refusal([]) == ("no_categories", "/categories")
    assert refusal([one, one]) == ("category_repeated", "/categories/1/label")
    others = [Category("x", 1, is_other=True), Category("y", 1, is_other=True)]
    assert refusal(others) == ("other_repeated", "/categories/1/is_other")
    many = [Category(str(number), 1) for number in range(1001)]
    assert refusal(many) == ("too_many_categories", "/categories")
    assert refusal([one], threshold=0) == ("threshold_out_of_range", "/threshold")
