"""Properties that hold for every series: purity, frozen baselines, scaling, and plain documents."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.spc import CHARTS, Chart, Series, Settings, chart, document
from tests.spc.drawn import any_chart, first_rows, names, rule_sets, scaled, tame, tame_series
from tests.spc.requests import labels

pytestmark = pytest.mark.filterwarnings("error")

# Whether they hold depends on all points of a phase, later ones too.
OF_A_WHOLE_PHASE = {"long_run", "few_crossings", "too_few_runs", "too_many_runs"}


def text(judged: Chart) -> str:
    return json.dumps(document(judged), allow_nan=False)


@given(any_chart())
def test_documents_are_plain_and_pure(inputs: tuple[Series, Settings]) -> None:
    judged = chart(*inputs)
    first, second = text(judged), text(chart(*inputs))
    assert first == second
    assert not np.isinf(judged.lines).any()
    assert not np.isinf(judged.values).any()


@given(any_chart())
def test_lines_are_in_order_and_signals_agree_with_points(inputs: tuple[Series, Settings]) -> None:
    judged = chart(*inputs)
    centre, lower, upper, low_warning, high_warning = judged.lines
    for below, above in [(lower, low_warning), (high_warning, upper), (lower, upper)]:
        assert not (below > above).any()
    excluded = np.array(inputs[0].excluded or [False] * len(centre), dtype=np.bool_)
    absent = set(np.flatnonzero(excluded | ~judged.present).tolist())
    for signal in judged.signals:
        phase = judged.phases[signal.phase]
        assert phase.start <= signal.start <= signal.end < phase.stop
        assert not absent & set(signal.members)
        assert list(signal.members) == sorted(set(signal.members))
    outside = {row for s in judged.signals if s.rule == "outside_limits" for row in s.members}
    if judged.rules.name != "ihi_run":  # rules for charts without limits
        assert outside == set(np.flatnonzero(judged.outside_limits).tolist())


@given(names, st.data())
def test_appending_never_moves_lines_of_a_frozen_baseline(name: str, data: st.DataObject) -> None:
    count, more, baseline = (data.draw(st.integers(*ends)) for ends in ((4, 30), (0, 6), (1, 4)))
    longer = data.draw(tame_series(name, count + more))
    settings = Settings(name, baseline_points=baseline)
    before = chart(first_rows(longer, count), settings)
    after = chart(longer, settings)
    assert after.lines[:, :count].tobytes() == before.lines.tobytes()


@given(
    st.lists(tame, min_size=8, max_size=40),
    st.lists(tame, max_size=4),
    st.integers(2, 8),
    rule_sets,
)
def test_appending_keeps_the_identity_of_pattern_signals(
    values: list[float], more: list[float], baseline: int, rule_set: str
) -> None:
    settings = Settings("i", rule_set=rule_set, baseline_points=baseline)
    longer = [*values, *more]
    before = chart(Series(labels(len(values)), values), settings)
    after = chart(Series(labels(len(longer)), longer), settings)
    lasting = {s.id for s in before.signals if s.rule not in OF_A_WHOLE_PHASE}
    assert lasting <= {signal.id for signal in after.signals}
    assert len({signal.id for signal in after.signals}) == len(after.signals)


@given(names, st.integers(0, 20), st.data())
def test_excluding_then_including_restores_the_document(
    name: str, size: int, data: st.DataObject
) -> None:
    series, settings = data.draw(tame_series(name, size)), Settings(name)
    flags = data.draw(st.lists(st.booleans(), min_size=size, max_size=size))
    never = text(chart(series, settings))
    chart(replace(series, excluded=flags), settings)
    assert text(chart(replace(series, excluded=[False] * size), settings)) == never


SCALABLE = sorted(CHARTS.keys() - {"c", "u", "u_prime", "p", "p_prime", "np", "t", "g"})


@given(st.sampled_from(SCALABLE), st.integers(0, 30), st.integers(-4, 8), st.data())
def test_scaling_values_scales_lines_and_keeps_signals(
    name: str, size: int, power: int, data: st.DataObject
) -> None:
    factor = 2.0**power  # exact, so that ties stay ties
    series = data.draw(tame_series(name, size))
    plain = chart(series, Settings(name))
    for other in (
        chart(scaled(series, factor), Settings(name)),
        chart(series, Settings(name, multiplier=factor)),
    ):
        np.testing.assert_array_equal(other.lines, plain.lines * factor)
        assert other.signals == plain.signals
        assert other.variation == plain.variation


@given(names, st.integers(0, 20), st.sampled_from([100, 1000, 0.5]), st.data())
def test_the_multiplier_scales_what_is_shown_and_changes_no_signal(
    name: str, size: int, multiplier: float, data: st.DataObject
) -> None:
    series = data.draw(tame_series(name, size))
    plain, other = (chart(series, Settings(name, multiplier=each)) for each in (1, multiplier))
    np.testing.assert_array_equal(other.lines, plain.lines * multiplier)
    np.testing.assert_array_equal(other.values, plain.values * multiplier)
    assert other.signals == plain.signals


@given(st.integers(1, 40), st.data())
def test_an_np_chart_signals_what_the_p_chart_signals(size: int, data: st.DataObject) -> None:
    series = data.draw(tame_series("np", size))
    assert chart(series, Settings("np")).signals == chart(series, Settings("p")).signals


@given(st.lists(tame, min_size=2, max_size=30), st.sampled_from(["run", "i"]), rule_sets)
def test_turning_a_series_upside_down_turns_its_signals(
    values: list[float], name: str, rule_set: str
) -> None:
    upright = Settings(name, rule_set=rule_set, direction="increase")
    flipped = Settings(name, rule_set=rule_set, direction="decrease")
    series = Series(labels(len(values)), values)
    mirror = Series(labels(len(values)), [-value for value in values])

    def essence(judged: Chart) -> set[tuple[Any, ...]]:
        return {(s.rule, s.meaning, s.members, s.completed_at) for s in judged.signals}

    assert essence(chart(series, upright)) == essence(chart(mirror, flipped))


@given(st.lists(tame, min_size=3, max_size=12), st.lists(tame, min_size=3, max_size=12))
def test_phases_are_charts_of_their_own(first: list[float], second: list[float]) -> None:
    both = [*first, *second]
    judged = chart(Series(labels(len(both)), both), Settings("i", phase_starts=[len(first)]))
    alone = chart(Series(labels(len(second)), second), Settings("i"))
    np.testing.assert_array_equal(judged.lines[:, len(first) :], alone.lines)
    assert judged.phases[1].runs == alone.phases[0].runs
    assert judged.variation == alone.variation
