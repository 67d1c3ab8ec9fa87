"""The rules of every rule set against a slow oracle, and by hand at the points where they part."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.spc import RULE_SETS
from app.spc.judging import Judgement, Segment, judge
from tests.spc import oracle
from tests.spc.oracle import Value

LINES = np.array([0.0, -3.0, 3.0, -2.0, 2.0, -1.0, 1.0])  # so that values are sigmas


def climbing(steps: list[Value]) -> list[Value]:
    """A climb by these steps, with gaps where there is none."""
    height = -2.0
    return [None if step is None else (height := height + step) for step in steps]


rule_sets = st.sampled_from(list(RULE_SETS))
halves = st.integers(-7, 7).map(lambda half: half / 2)  # many ties, with each other and with lines
# Stretches that the rarer rules look for, joined with anything.
stretches = st.one_of(
    st.lists(st.none() | halves, max_size=12),
    st.lists(st.sampled_from([0.5, 1.0, 1.5, 2.5, 0.0]), min_size=6, max_size=12),
    st.lists(st.sampled_from([-0.5, 0.0, 0.5]), min_size=13, max_size=17),
    st.lists(st.sampled_from([-3.5, -1.5, 1.5, 2.0, 2.5]), min_size=7, max_size=12),
    st.integers(11, 17).map(lambda size: [0.5 * (-1) ** row for row in range(size)]),
    st.integers(4, 8).map(lambda size: [row / 2 - 2 for row in range(size)]),
    st.lists(st.sampled_from([0.5, 0.5, 0.5, 0.0, None]), min_size=5, max_size=10).map(climbing),
)
phases = st.lists(stretches, max_size=4).map(
    lambda parts: [value for part in parts for value in part]
)


def judged(
    values: Sequence[Value], segments: Sequence[Segment], name: str, excluded: Sequence[bool] = ()
) -> Judgement:
    """Values in sigmas, judged."""
    numbers = np.array(values, dtype=np.float64)
    lines = np.repeat(LINES[:, None], len(numbers), axis=1)
    flags = np.array(excluded, dtype=np.bool_) if any(excluded) else None
    return judge(numbers, lines, flags, segments, RULE_SETS[name])


def plain(judgement: Judgement) -> list[list[tuple[str, oracle.Pattern]]]:
    """The findings of each segment in plain Python."""
    return [
        [
            (each.rule.name, oracle.Pattern(side, list(members), completed))
            for each in found
            for side, members, completed in [each.finding]
        ]
        for found in judgement.found
    ]


def found(values: Sequence[Value], name: str, rule: str) -> list[tuple[str | None, list[int]]]:
    """Side and members of the findings of one rule in one phase."""
    (patterns,) = plain(judged(values, [Segment(0, len(values))], name))
    return [(pattern.side, pattern.rows) for each, pattern in patterns if each == rule]


@st.composite
def joined(draw: st.DrawFn) -> tuple[list[Value], list[Segment], list[bool]]:
    """Several phases in joined arrays, with rows between some that belong to none."""
    values: list[Value] = []
    segments = []
    for phase in draw(st.lists(phases, min_size=1, max_size=4)):
        start = len(values) + draw(st.integers(0, 1))
        values += [9.0] * (start - len(values)) + phase
        segments.append(Segment(start, len(values)))
    excluding = st.lists(st.integers(0, 9).map(lambda die: die == 9), min_size=len(values))
    some = st.none() | excluding.map(lambda flags: flags[: len(values)])
    return values, segments, draw(some) or [False] * len(values)


@given(joined(), rule_sets)
def test_every_rule_set_finds_what_the_oracle_finds(
    series: tuple[list[Value], list[Segment], list[bool]], name: str
) -> None:
    values, segments, excluded = series
    expected = []
    for start, stop in segments:
        points = [(row, values[row]) for row in range(start, stop) if not excluded[row]]
        expected.append(
            [
                (rule, pattern)
                for rule, find in oracle.RULE_SETS[name].items()
                for pattern in find(points)
            ]
        )
    judgement = judged(values, segments, name, excluded)
    assert plain(judgement) == expected
    outside = [
        value is not None and abs(value) > 3 and not out
        for value, out in zip(values, excluded, strict=True)
    ]
    assert judgement.outside_limits.tolist() == outside


@given(joined(), rule_sets)
def test_joined_segments_are_judged_as_one_by_one(
    series: tuple[list[Value], list[Segment], list[bool]], name: str
) -> None:
    values, segments, excluded = series
    together = judged(values, segments, name, excluded)
    for index, (start, stop) in enumerate(segments):
        size = stop - start
        alone = judged(values[start:stop], [Segment(0, size)], name, excluded[start:stop])
        moved = [
            (
                rule,
                oracle.Pattern(
                    side,
                    [row + start for row in rows],
                    None if completed is None else completed + start,
                ),
            )
            for rule, (side, rows, completed) in plain(alone)[0]
        ]
        assert plain(together)[index] == moved
        assert together.runs[index] == alone.runs[0]
        each, all_found = alone.found[0], together.found[index]
        assert [one.parameters for one in each] == [one.parameters for one in all_found]


def test_the_oracle_knows_every_rule_in_its_order() -> None:
    assert {name: [rule.name for rule in each.rules] for name, each in RULE_SETS.items()} == {
        name: list(rules) for name, rules in oracle.RULE_SETS.items()
    }


def test_rule_sets_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        RULE_SETS["mine"] = RULE_SETS["mdc"]  # type: ignore[index]
    with pytest.raises(AttributeError):
        RULE_SETS["mdc"].rules = ()  # type: ignore[misc]
    with pytest.raises(TypeError):
        RULE_SETS["mdc"].rules[0].parameters["sigma"] = 2  # type: ignore[index]


def test_undefined_lines_find_nothing_and_the_runs_still_count() -> None:
    values = np.array([5.0] * 20)
    lines = np.full((7, 20), np.nan)
    lines[0] = 0.0
    names = {}
    for name, rules in RULE_SETS.items():
        judgement = judge(values, lines, None, [Segment(0, 20)], rules)
        names[name] = {each.rule.name for each in judgement.found[0]}
    assert names.pop("limits_only") == set()
    assert names.pop("anhoej") == {"long_run", "few_crossings"}
    assert names.pop("ihi_run") == {"shift", "too_few_runs"}
    assert set(map(frozenset, names.values())) == {frozenset({"shift"})}


@pytest.mark.parametrize(("name", "signals"), [("lifeqi", 1), ("mdc", 0), ("plotthedots", 0)])
def test_one_point_on_the_line_decides_between_rule_sets(name: str, signals: int) -> None:
    values = [9, 11, 9, 11, 12, 13, 12, 10, 14, 12, 13, 12, 11]  # centre 10
    sigmas = [(value - 10) / 10 for value in values]
    assert len(found(sigmas, name, "shift")) == signals


@pytest.mark.parametrize(
    ("name", "values", "members"),
    [
        ("mdc", [2.5, 2.5, 1], [0, 1]),
        ("mdc", [2.5, 3.5, 1], [0, 1]),  # beyond 3 sigma counts
        ("plotthedots", [2.5, 3.5, 1], None),  # it does not, but it may be the third
        ("plotthedots", [2.5, 3.5, 2.5], [0, 2]),
        ("mdc", [2.5, 2.5, -1], None),  # the third must lie on the same side
        ("mdc", [2.5, 0, 2.5], None),
        ("mdc", [2.5, None, 2.5], None),
        ("western_electric", [2.5, 2.5, -1], [0, 1]),  # wherever the third is
        ("western_electric", [2.5, None, 2.5], [0, 2]),  # a gap takes a place
        ("western_electric", [2.5, None, None, 2.5], None),
        ("western_electric", [2.5, 2.5], None),  # no full window
        ("wahealth", [2.5, 2.5], [0, 1]),
        ("wahealth", [2.5, -2.5, 2.5], [0, 2]),
        ("western_electric", [2.5, 2, 2.5], [0, 2]),  # on the line is not beyond it
        ("mdc", [2.5, 1, 2.5, 1, 2.5], [0, 2, 4]),  # windows that share a member are one signal
    ],
)
def test_two_of_three(name: str, values: list[Value], members: list[int] | None) -> None:
    wanted = [] if members is None else [("high", members)]
    assert found(values, name, "two_of_three") == wanted


def test_two_windows_without_a_common_member_are_two_signals() -> None:
    assert found([2.5, 2.5, 1, 1, 2.5, 2.5], "mdc", "two_of_three") == [
        ("high", [0, 1]),
        ("high", [4, 5]),
    ]


@pytest.mark.parametrize(
    ("name", "values", "members"),
    [
        ("ihi_run", [1, 2, None, 3, 4, 5], [0, 1, 3, 4, 5]),  # the step leads over the gap
        ("ihi_run", [1, None, None, 2, 3, 4, 5], [0, 3, 4, 5, 6]),
        ("ihi_run", [1, 2, None, 1.5, 4, 5, 6], None),  # 2 to 1.5 is a fall, though a gap hides it
        ("ihi_run", [1, 2, 2, 3, 4, 5], [0, 1, 3, 4, 5]),
        ("wahealth", [1, 2, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5]),  # spanned, so flagged
        ("wahealth", [1, 2, None, 3, 4, 5], [0, 1, 3, 4, 5]),  # a gap is never flagged
        ("wahealth", [1, 2, 3, 4, 5, 5], [0, 1, 2, 3, 4]),  # not spanned
        ("nelson", [1, 2, 3, None, 4, 5, 6], None),
        ("nelson", [1, 2, 3, 3, 4, 5, 6], None),
    ],
)
def test_ties_and_gaps_in_a_trend(
    name: str, values: list[Value], members: list[int] | None
) -> None:
    wanted = [] if members is None else [("high", members)]
    assert found(values, name, "trend") == wanted


def test_eight_outer_needs_both_sides_within_eight_points() -> None:
    one_sided = [1.5] * 12
    assert found(one_sided, "nelson", "eight_outer") == []
    assert found([*one_sided, -1.5], "nelson", "eight_outer") == [(None, list(range(5, 13)))]


def test_windows_of_eight_outer_without_a_common_point_are_two_signals() -> None:
    values = [-1.5, *[1.5] * 14, -1.5]
    assert found(values, "nelson", "eight_outer") == [
        (None, list(range(8))),
        (None, list(range(8, 16))),
    ]


def test_fifteen_inner_is_strict_and_counts_the_centre() -> None:
    values = [0.5, 0.0, -0.5] * 5
    assert found(values, "nelson", "fifteen_inner") == [(None, list(range(15)))]
    assert found([*values[:14], 1.0], "nelson", "fifteen_inner") == []
    assert found([*values[:14], None, 0.5], "nelson", "fifteen_inner") == []
