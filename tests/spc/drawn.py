"""Strategies: any series and settings that can be charted, for every chart there is."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from app.spc import CHARTS, RULE_SETS, Series, Settings
from app.spc.settings import Direction
from tests.spc.requests import labels

tame = st.integers(-500, 500).map(lambda tenths: tenths / 10)
finite = st.floats(allow_nan=False, allow_infinity=False)
extreme = st.sampled_from([0.0, 1e308, -1e308, 1.7976931348623157e308, 5e-324, 1e-300])
rule_sets = st.sampled_from(list(RULE_SETS))
directions: st.SearchStrategy[Direction] = st.sampled_from(["increase", "decrease", "neutral"])
names = st.sampled_from(list(CHARTS))


@st.composite
def any_settings(draw: st.DrawFn, name: str, size: int) -> Settings:
    """Any valid settings for a series of so many points."""
    starts = draw(st.sets(st.integers(1, size - 1), max_size=3)) if size > 1 else set()
    baseline = st.none() | st.integers(1, 30)
    return Settings(
        name,
        rule_set=draw(rule_sets) if CHARTS[name].run_rules else None,
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
    name = draw(names)
    size = draw(st.integers(0, 30))
    excluded = draw(st.none() | st.lists(st.booleans(), min_size=size, max_size=size))
    points = draw(_columns(name, size))
    return Series(labels(size), excluded=excluded, **points), draw(any_settings(name, size))


@st.composite
def tame_series(draw: st.DrawFn, name: str, size: int) -> Series:
    """A series of a chart in numbers such as people measure, with gaps; subgroups of one size."""
    kind = CHARTS[name]
    amount = st.integers(1, 500).map(lambda tenths: tenths / 10)
    number = amount if kind.above_zero or kind.counts else tame
    if kind.data == "ratios":
        columns = draw(_ratios(amount, size, is_share=kind.ceiling is not None))
    elif kind.data == "subgroups":
        groups = st.lists(number, min_size=3, max_size=3)
        columns = {"subgroups": draw(st.lists(groups, min_size=size, max_size=size))}
    else:
        columns = {"values": draw(st.lists(st.none() | number, min_size=size, max_size=size))}
    return Series(labels(size), **columns)


_COLUMNS = ("values", "numerators", "denominators", "subgroups")


def first_rows(series: Series, count: int) -> Series:
    """The same series as it was when it had so many points."""
    columns: dict[str, Any] = {name: getattr(series, name) for name in _COLUMNS}
    shorter = {name: column and column[:count] for name, column in columns.items()}
    return Series(series.x[:count], **shorter)


def scaled(series: Series, factor: float) -> Series:
    """The series in another unit; denominators stay."""

    def times(column: Any) -> Any:
        if column is None:
            return None
        return [times(each) for each in column] if isinstance(column, list) else column * factor

    columns = {name: times(getattr(series, name)) for name in ("values", "numerators", "subgroups")}
    return replace(series, **columns)


def _columns(name: str, size: int) -> st.SearchStrategy[dict[str, Any]]:
    kind = CHARTS[name]
    number = finite | extreme
    if kind.counts or kind.above_zero:
        number = number.map(abs)
    if kind.above_zero:
        number = number.filter(bool)
    if kind.data == "ratios":
        return _ratios(number.map(abs), size, is_share=kind.ceiling is not None)
    if kind.data == "subgroups":
        return _subgroups(number, size)
    return st.fixed_dictionaries(
        {"values": st.lists(st.none() | number, min_size=size, max_size=size)}
    )


@st.composite
def _ratios(
    draw: st.DrawFn, number: st.SearchStrategy[float], size: int, *, is_share: bool
) -> dict[str, Any]:
    pairs = draw(st.lists(st.tuples(number, number), min_size=size, max_size=size))
    if is_share:
        pairs = [(min(pair), max(pair)) for pair in pairs]
    gaps = draw(st.lists(st.booleans(), min_size=size, max_size=size))
    numerators = [None if gap else pair[0] for gap, pair in zip(gaps, pairs, strict=True)]
    return {"numerators": numerators, "denominators": [pair[1] for pair in pairs]}


@st.composite
def _subgroups(draw: st.DrawFn, number: st.SearchStrategy[float], size: int) -> dict[str, Any]:
    values = st.lists(st.none() | number, max_size=4) | st.none()
    groups: list[Any] = draw(st.lists(values, min_size=size, max_size=size))
    if size:  # one at least must have a spread
        groups[draw(st.integers(0, size - 1))] = draw(st.lists(number, min_size=2, max_size=4))
    return {"subgroups": groups}
