"""Rule sets by name: declarative, versioned and immutable; a change of rules is a new version.

The order of the rules is their precedence for the variation icon.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from app.spc import rules
from app.spc.rules import Finder, PhaseFinder
from app.spc.runs import Runs


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
    runs_limit: Literal["longest_run_max", "crossings_min"] | None = None

    def stated(self, runs: Runs) -> dict[str, int]:
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
    """

    name: str
    version: str
    description: str
    rules: tuple[Rule, ...]
    constants: Literal["standard", "mdc"] = "standard"
    improvement_wins: bool = True


_OUTSIDE = Rule("outside_limits", rules.outside_limits, {"sigma": 3})

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
        (
            _OUTSIDE,
            Rule("trend", rules.trend(7, ties="break"), {"length": 7}),
            Rule(
                "two_of_three",
                rules.beyond_warning(2, window=3),
                {"count": 2, "window": 3, "sigma": 2},
            ),
            Rule("shift", rules.shift(7, ties="break"), {"length": 7}),
        ),
        constants="mdc",
    ),
    RuleSet("limits_only", "1", "Points outside the 3 sigma limits", (_OUTSIDE,)),
)
RULE_SETS = {rule_set.name: rule_set for rule_set in _TABLE}
