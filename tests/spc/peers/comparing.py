"""What differs between our engine and another, case by case."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from app.spc import Chart
from app.spc.series import FloatArray
from tests.spc.peers import controlcharts, qikit, shewhart
from tests.spc.peers.cases import Case, cases
from tests.spc.peers.zones import zones_of

LINES = ("centre", "lower_limit", "upper_limit", "lower_warning", "upper_warning")


class Difference(NamedTuple):
    """One thing that another engine says otherwise."""

    peer: str
    case: Case
    about: str  # value, a line, a number of the runs analysis, or rule_set/rule
    ours: Any
    theirs: Any
    lines: Mapping[str, FloatArray] = {}  # all that the other engine draws

    @property
    def rows(self) -> set[int]:
        """Rows in which two lines differ."""
        return rows_apart(self.ours, self.theirs)


class Comparison(NamedTuple):
    """All that was compared: how often, how often something was found, and what differed."""

    compared: Counter[tuple[str, str]]  # peer and "chart" or "rule_set/rule"
    found: Counter[tuple[str, str]]
    differences: list[Difference]


def compare_all() -> Comparison:
    """Every case with every engine that offers its chart."""
    everything = Comparison(Counter(), Counter(), [])
    for case in cases():
        judged = case.ours()
        for peer, lines in _lines_of_peers(case):
            everything.compared[peer, case.chart] += 1
            everything.differences.extend(_lines(peer, case, judged, lines))
        if judged.kind.run_rules:
            _runs(case, everything)
            for peer, marks in _marks_of_peers(case):
                _rules(peer, case, marks, everything)
    return everything


def shown(judged: Chart) -> dict[str, FloatArray]:
    """Values and lines by name."""
    return {"value": judged.values} | dict(zip(LINES, judged.lines, strict=True))


def marked(judged: Chart, rule: str) -> set[tuple[int, str | None]]:
    """Rows that are members of signals of a rule, each with the signal's side."""
    return {
        (row, signal.direction)
        for signal in judged.signals
        if signal.rule == rule
        for row in signal.members
    }


def rows_apart(ours: FloatArray, theirs: FloatArray) -> set[int]:
    """Rows in which two lines differ by more than rounding."""
    alike = np.isclose(ours, theirs, rtol=1e-9, atol=1e-11, equal_nan=True)
    return set(np.flatnonzero(~alike).tolist())


def _lines_of_peers(case: Case) -> Iterable[tuple[str, Mapping[str, FloatArray]]]:
    asked = controlcharts.ask(case)
    answers = {
        qikit.NAME: qikit.lines(case),
        shewhart.NAME: shewhart.lines(case),
        controlcharts.NAME: asked and asked[0],
    }
    return [(peer, lines) for peer, lines in answers.items() if lines is not None]


def _lines(
    peer: str, case: Case, judged: Chart, lines: Mapping[str, FloatArray]
) -> Iterable[Difference]:
    """Lines are compared where the other engine has a point at all."""
    ours = shown(judged)
    there = ~np.isnan(lines["value"]) | ~np.isnan(ours["value"])
    for name, theirs in lines.items():
        pair = np.where(there, ours[name], np.nan), np.where(there, theirs, np.nan)
        difference = Difference(peer, case, name, *pair, lines)
        if difference.rows:
            yield difference


def _runs(case: Case, everything: Comparison) -> None:
    """The runs analysis of each phase."""
    judged = case.ours("anhoej")
    for zones, phase in zip(zones_of(judged), judged.phases, strict=True):
        theirs, ours = qikit.runs(zones.values, zones.centre), phase.runs
        pairs = {
            "useful_points": (ours.useful_points, theirs["n_useful"]),
            "longest_run": (ours.longest_run or 0, theirs["longest_run"]),
            "crossings": (ours.crossings or 0, theirs["n_crossings"]),
            "few_crossings": (ours.is_rarely_crossing, theirs["crossings_signal"]),
            "long_run": (ours.is_long, theirs["run_signal"]),
        }
        for about, pair in pairs.items():
            everything.compared[qikit.NAME, f"anhoej/{about}"] += 1
            everything.found[qikit.NAME, f"anhoej/{about}"] += bool(pair[1])
            if pair[0] != pair[1]:
                where = Difference(qikit.NAME, case, f"anhoej/{about}", (ours, pair[0]), pair[1])
                everything.differences.append(where)


def _marks_of_peers(case: Case) -> Iterable[tuple[str, dict[str, Any]]]:
    judged = case.ours()
    for peer, rules in ((qikit.NAME, qikit.rules), (shewhart.NAME, shewhart.rules)):
        marks: dict[str, set[int]] = {}
        for zones in zones_of(judged):
            for rule_set, found in rules(zones).items():
                for rule, rows in found.items():
                    marks.setdefault(f"{rule_set}/{rule}", set()).update(zones.in_series(rows))
        yield peer, marks
    asked = controlcharts.ask(case)
    if asked is not None:
        yield controlcharts.NAME, {f"wahealth/{rule}": rows for rule, rows in asked[1].items()}


def _rules(peer: str, case: Case, marks: Mapping[str, Any], everything: Comparison) -> None:
    for about, theirs in marks.items():
        rule_set, rule = about.split("/")
        ours: Any = marked(case.ours(rule_set), rule)
        if peer != controlcharts.NAME:  # the others mark rows without a side
            ours = {row for row, _ in ours}
        everything.compared[peer, about] += 1
        everything.found[peer, about] += bool(theirs)
        if ours != theirs:
            everything.differences.append(Difference(peer, case, about, ours, theirs))
