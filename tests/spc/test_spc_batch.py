"""charts(): every outcome is what chart() gives alone, however many are drawn together."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.spc import Chart, Series, Settings, SpcError, batch, chart, charts, document
from tests.spc.drawn import any_chart
from tests.spc.requests import labels

Request = tuple[Series, Settings]


def alone(request: Request) -> Any:
    """What chart() gives, in a form that compares."""
    try:
        return essence(chart(*request))
    except SpcError as refusal:
        return essence(refusal)


def essence(outcome: Chart | SpcError) -> Any:
    if isinstance(outcome, SpcError):
        return outcome.code, outcome.detail, outcome.pointer
    arrays = (outcome.values, outcome.lines, outcome.present, outcome.outside_limits)
    page = json.dumps(document(outcome), allow_nan=False)
    return page, [np.ascontiguousarray(array).tobytes() for array in arrays]


@given(st.lists(any_chart(), max_size=8))
def test_together_as_alone_to_the_byte(requests: list[Request]) -> None:
    assert [essence(outcome) for outcome in charts(requests)] == [alone(one) for one in requests]


@st.composite
def a_fault(draw: st.DrawFn) -> Request:
    """A series that no chart can be drawn from."""
    return draw(
        st.sampled_from(
            [
                (Series(labels(2), [1, -1]), Settings("c")),
                (Series(labels(2), [1, float("nan")]), Settings("i", rule_set="mdc")),
                (Series(["2024-02-01", "2024-01-01"], [1, 2]), Settings("i", rule_set="mdc")),
                (Series(labels(2), [1, 2]), Settings("i", rule_set="mdc", target=[1])),
                (Series(labels(2), [1, 2]), Settings("i", rule_set="mine")),
                (Series(labels(2), [1, 2]), Settings("i", rule_set="mdc", phase_starts=[2])),
                (Series(labels(2), [1, 2]), Settings("i", rule_set="mdc", phase_labels=[])),
            ]
        )
    )


@settings(max_examples=60)
@given(st.lists(any_chart() | a_fault(), max_size=9))
def test_a_fault_is_told_in_its_place_and_costs_no_other_chart(requests: list[Request]) -> None:
    assert [essence(outcome) for outcome in charts(requests)] == [alone(one) for one in requests]


@given(st.lists(any_chart(), min_size=2, max_size=6), st.integers(1, 40))
def test_how_many_rows_are_drawn_together_makes_no_difference(
    requests: list[Request], rows: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch, "_ROWS_TOGETHER", rows)
        outcomes = charts(requests)
    assert [essence(outcome) for outcome in outcomes] == [alone(one) for one in requests]


def test_a_thousand_series_with_one_fault() -> None:
    chosen = Settings("i", rule_set="mdc")
    requests = [(Series(labels(6), [row % 7, 1, 2, 3, 2, 1]), chosen) for row in range(1_000)]
    requests[700] = (Series(labels(6), [1, 2, 3, 4, 5, "six"]), chosen)  # type: ignore[list-item]
    outcomes = charts(requests)
    faults = [row for row, outcome in enumerate(outcomes) if isinstance(outcome, SpcError)]
    assert faults == [700]
    judged = outcomes[701]
    assert isinstance(judged, Chart)
    assert essence(judged) == alone(requests[701])


def test_nothing_gives_nothing() -> None:
    assert charts([]) == []
