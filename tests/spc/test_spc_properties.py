"""Properties that hold for every series: purity, frozen baselines, scaling, and plain documents."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.spc import RULE_SETS, Chart, Series, Settings, chart, document
from app.spc.settings import Direction
from tests.spc.requests import labels

pytestmark = pytest.mark.filterwarnings("error")

# Whether they hold depends on all points of a phase, later ones too.
OF_A_WHOLE_PHASE = {"long_run", "few_crossings", "too_few_runs", "too_many_runs"}

finite = st.floats(allow_nan=False, allow_infinity=False)
tame = st.integers(-500, 500).map(lambda tenths: tenths / 10)
extreme = st.sampled_from([0.0, 1e308, -1e308, 1.7976931348623157e308, 5e-324, 1e-300])
rule_sets = st.sampled_from(list(RULE_SETS))
directions: st.SearchStrategy[Direction] = st.sampled_from(["increase", "decrease", "neutral"])


@st.composite
def any_settings(draw: st.DrawFn, name: str, size: int) -> Settings:
    """Any valid settings for a series of so many points."""
    starts = draw(st.sets(st.integers(1, size - 1), max_size=3)) if size > 1 else set()
    baseline = st.none() | st.integers(1, 30)
    return Settings(
        name,
        rule_set=draw(rule_sets),
        direction=draw(directions),
        phase_starts=sorted(starts),
        baseline_points=draw(
            baseline | st.lists(baseline, min_size=len(starts) + 1, max_size=len(starts) + 1)
        ),
        target=draw(st.none() | finite | st.lists(finite, min_size=size, max_size=size)),
        screen_moving_ranges=draw(st.booleans()),
        multiplier=draw(st.sampled_from([1, 100, 1000.0, 1e-300, 1e300])),
    )


@st.composite
def any_chart(draw: st.DrawFn) -> tuple[Series, Settings]:
    """Any series of any chart, with gaps, exclusions, zero denominators and extreme numbers."""
    name = draw(st.sampled_from(["run", "i", "c", "u", "p"]))
    size = draw(st.integers(0, 30))
    number = finite | extreme if name in {"run", "i"} else (finite | extreme).map(abs)
    excluded = draw(st.none() | st.lists(st.booleans(), min_size=size, max_size=size))
    if name in {"u", "p"}:
        pairs = draw(st.lists(st.tuples(number, number), min_size=size, max_size=size))
        if name == "p":
            pairs = [(min(pair), max(pair)) for pair in pairs]
        gaps = draw(st.lists(st.booleans(), min_size=size, max_size=size))
        numerators = [None if gap else pair[0] for gap, pair in zip(gaps, pairs, strict=True)]
        denominators = [pair[1] for pair in pairs]
        series = Series(
            labels(size), numerators=numerators, denominators=denominators, excluded=excluded
        )
    else:
        values = draw(st.lists(st.none() | number, min_size=size, max_size=size))
        series = Series(labels(size), values, excluded=excluded)
    return series, draw(any_settings(name, size))


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


@given(
    st.lists(st.none() | tame, min_size=4, max_size=30),
    st.lists(st.none() | tame, max_size=6),
    st.integers(1, 4),
    st.sampled_from(["run", "i"]),
)
def test_appending_never_moves_lines_of_a_frozen_baseline(
    values: list[float | None], more: list[float | None], baseline: int, name: str
) -> None:
    settings = Settings(name, baseline_points=baseline)
    before = chart(Series(labels(len(values)), values), settings)
    longer = [*values, *more]
    after = chart(Series(labels(len(longer)), longer), settings)
    np.testing.assert_array_equal(after.lines[:, : len(values)], before.lines)


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


@given(st.lists(st.none() | tame, max_size=20), st.data())
def test_excluding_then_including_restores_the_document(
    values: list[float | None], data: st.DataObject
) -> None:
    size, settings = len(values), Settings("i")
    flags = data.draw(st.lists(st.booleans(), min_size=size, max_size=size))
    never = text(chart(Series(labels(size), values), settings))
    chart(Series(labels(size), values, excluded=flags), settings)
    assert text(chart(Series(labels(size), values, excluded=[False] * size), settings)) == never


@given(st.lists(st.none() | tame, max_size=30), st.integers(-4, 8), st.sampled_from(["run", "i"]))
def test_scaling_values_scales_lines_and_keeps_signals(
    values: list[float | None], power: int, name: str
) -> None:
    factor = 2.0**power  # exact, so that ties stay ties
    scaled = [None if value is None else value * factor for value in values]
    plain = chart(Series(labels(len(values)), values), Settings(name))
    for other in (
        chart(Series(labels(len(values)), scaled), Settings(name)),
        chart(Series(labels(len(values)), values), Settings(name, multiplier=factor)),
    ):
        np.testing.assert_array_equal(other.lines, plain.lines * factor)
        assert other.signals == plain.signals
        assert other.variation == plain.variation


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
