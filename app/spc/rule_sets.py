"""Rule sets by name: declarative, versioned and immutable; a change of rules is a new version.

The order of the rules is their precedence for the variation icon.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from app.spc import rules
from app.spc.rules import Finder, PhaseFinder, Ties
from app.spc.runs import Runs
from app.spc.sides import BETWEEN_2_AND_3, BEYOND_1, BEYOND_2


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its name in signals, its finder, and the parameters printed with its signals.

    find: looks at all phases at once; find_in_phase: at one phase and its runs.
    runs_limit: the field of Runs printed as a parameter, for rules whose limit depends on the data.
    """

    name: str
    find: Finder | None = None
    parameters: Mapping[str, int] = field(default_factory=dict)
    find_in_phase: PhaseFinder | None = None
    runs_limit: Literal["longest_run_max", "crossings_min", "runs_min", "runs_max"] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))

    def stated(self, runs: Runs | None = None) -> dict[str, int]:
        """The parameters as applied to a phase with these runs."""
        if self.runs_limit is None:
            return dict(self.parameters)
        return {self.runs_limit: getattr(runs, self.runs_limit)}


@dataclass(frozen=True, slots=True)
class RuleSet:
    """A named, versioned list of rules.

    constants: how an individuals chart turns the mean moving range into sigma.
    improvement_wins: the latest point counts as improvement if any of its signals says so;
        otherwise its first signal in the order of the rules decides.
    one_label: of the signals that a point is in, only the first in the order of the rules is
        listed with the point; all of them stay in the list of signals.
    """

    name: str
    version: str
    description: str
    rules: tuple[Rule, ...]
    constants: Literal["standard", "mdc"] = "standard"
    improvement_wins: bool = True
    one_label: bool = False


def _shift(length: int, ties: Ties, *, spanned: bool = False) -> Rule:
    return Rule("shift", rules.shift(length, ties, spanned=spanned), {"length": length})


def _trend(length: int, ties: Ties, *, spanned: bool = False) -> Rule:
    return Rule("trend", rules.trend(length, ties, spanned=spanned), {"length": length})


def _two_of_three(
    beyond: bytes = BEYOND_2, *, same_side: bool = False, short_phases: bool = False
) -> Rule:
    find = rules.m_of_n(2, 3, beyond, same_side=same_side, short_phases=short_phases)
    return Rule("two_of_three", find, {"count": 2, "window": 3, "sigma": 2})


_OUTSIDE = Rule("outside_limits", rules.outside_limits, {"sigma": 3})
_FOUR_OF_FIVE = Rule(
    "four_of_five", rules.m_of_n(4, 5, BEYOND_1), {"count": 4, "window": 5, "sigma": 1}
)
_FIFTEEN_INNER = Rule("fifteen_inner", rules.inner(15), {"length": 15, "sigma": 1})

_TABLE = (
    RuleSet(
        "anhoej",
        "1",
        "Unusually long runs or unusually few crossings of the centre (Anhoej & Olesen 2014), "
        "and points outside the 3 sigma limits where there are limits",
        (
            _OUTSIDE,
            Rule("long_run", find_in_phase=rules.long_run, runs_limit="longest_run_max"),
            Rule("few_crossings", find_in_phase=rules.few_crossings, runs_limit="crossings_min"),
        ),
    ),
    RuleSet(
        "mdc",
        "1",
        "NHS England Making Data Count: outside 3 sigma, shift of 7, trend of 7 points, "
        "2 of 3 beyond 2 sigma with all three on one side of the centre",
        (_OUTSIDE, _trend(7, "break"), _two_of_three(same_side=True), _shift(7, "break")),
        constants="mdc",
    ),
    RuleSet(
        "plotthedots",
        "1",
        "As NHSRplotthedots 0.2.2: outside 3 sigma, trend of 7 points, 2 of 3 between 2 and 3 "
        "sigma with all three on one side of the centre, shift of 7; one label a point, in this "
        "order",
        (
            _OUTSIDE,
            _trend(7, "break"),
            _two_of_three(BETWEEN_2_AND_3, same_side=True),
            _shift(7, "break"),
        ),
        constants="mdc",
        improvement_wins=False,
        one_label=True,
    ),
    RuleSet(
        "lifeqi",
        "1",
        "As the Life QI platform: outside 3 sigma, shift of 8, trend of 6 points, ties skipped; "
        "and 2 of 3 beyond 2 sigma and 15 within 1 sigma, which are assumed from general "
        "knowledge of such charts and not from a publication of the platform",
        (
            _OUTSIDE,
            _shift(8, "skip"),
            _trend(6, "skip"),
            _two_of_three(),
            _FIFTEEN_INNER,
        ),
    ),
    RuleSet(
        "ihi_run",
        "1",
        "Run chart rules of the Institute for Healthcare Improvement (Perla, Provost & Murray "
        "2011): shift of 6, trend of 5 points, ties skipped, too few or too many runs (two-sided "
        "5 % of the exact distribution, Swed & Eisenhart 1943, from 10 useful points)",
        (
            _shift(6, "skip"),
            _trend(5, "skip"),
            Rule("too_few_runs", find_in_phase=rules.too_few_runs, runs_limit="runs_min"),
            Rule("too_many_runs", find_in_phase=rules.too_many_runs, runs_limit="runs_max"),
        ),
    ),
    RuleSet(
        "ihi_spc",
        "1",
        "Shewhart chart rules of the Institute for Healthcare Improvement (Provost & Murray 2011): "
        "outside 3 sigma, shift of 8, trend of 6 points, ties skipped, 2 of 3 in the outer third, "
        "15 in the inner third",
        (_OUTSIDE, _shift(8, "skip"), _trend(6, "skip"), _two_of_three(), _FIFTEEN_INNER),
    ),
    RuleSet(
        "western_electric",
        "1",
        "Western Electric 1956: outside 3 sigma, 2 of 3 beyond 2 sigma, 4 of 5 beyond 1 sigma, "
        "each on one side, 8 on one side of the centre",
        (_OUTSIDE, _two_of_three(), _FOUR_OF_FIVE, _shift(8, "break")),
    ),
    RuleSet(
        "nelson",
        "1",
        "Nelson 1984: outside 3 sigma, shift of 9, trend of 6 points, 14 alternating, 2 of 3 "
        "beyond 2 sigma, 4 of 5 beyond 1 sigma, 15 within 1 sigma, 8 beyond 1 sigma on both sides",
        (
            _OUTSIDE,
            _shift(9, "break"),
            _trend(6, "break"),
            Rule("fourteen_alternating", rules.alternating(14), {"length": 14}),
            _two_of_three(),
            _FOUR_OF_FIVE,
            _FIFTEEN_INNER,
            Rule("eight_outer", rules.outer(8), {"length": 8, "sigma": 1}),
        ),
    ),
    RuleSet(
        "wahealth",
        "1",
        "As the control charts of the Western Australian Department of Health (controlchartspy "
        "0.1.3): outside 3 sigma, shift of 7, trend of 5 points, 2 of 3 beyond 2 sigma; ties are "
        "skipped, and flagged where a pattern spans them",
        (
            _OUTSIDE,
            _shift(7, "skip", spanned=True),
            _trend(5, "skip", spanned=True),
            _two_of_three(short_phases=True),
        ),
    ),
    RuleSet("limits_only", "1", "Points outside the 3 sigma limits", (_OUTSIDE,)),
)
RULE_SETS: Mapping[str, RuleSet] = MappingProxyType({each.name: each for each in _TABLE})
