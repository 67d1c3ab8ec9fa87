"""The engine beside three others on seeded series: it agrees, or the difference has a name."""

from functools import cache
from typing import Any

import numpy as np
import pytest

from app.spc import CHARTS
from tests.spc.peers import controlcharts, qikit, shewhart
from tests.spc.peers.comparing import Comparison, Difference, compare_all, rows_apart
from tests.spc.peers.divergences import DIVERGENCES, Divergence

PEERS = (qikit.NAME, shewhart.NAME, controlcharts.NAME)
# No other engine has it as we do; Taylor's own figures are in test_spc_lines.py.
NO_PEER = {"i_prime"}


@cache
def comparison() -> Comparison:
    with np.errstate(all="ignore"):
        return compare_all()


def explained_rows(divergence: Divergence, difference: Difference) -> set[int]:
    """Rows in which a known difference predicts what the other engine draws."""
    predicted = divergence.predicts(difference)
    if predicted is None:
        return set()
    if isinstance(predicted, str):  # no line at all
        return {row for row in difference.rows if np.isnan(difference.theirs[row])}
    apart = rows_apart(predicted, difference.theirs)
    return {row for row in difference.rows - apart if not np.isnan(difference.theirs[row])}


def explanations(difference: Difference) -> tuple[list[str], bool]:
    """The names of the known differences that it shows, and whether they explain all of it."""
    known = [divergence for divergence in DIVERGENCES if divergence.is_about(difference)]
    if isinstance(difference.ours, np.ndarray):
        rows = {each.name: explained_rows(each, difference) for each in known}
        left = difference.rows.difference(*rows.values())
        return [name for name, found in rows.items() if found], not left
    right = [each.name for each in known if each.predicts(difference) == difference.theirs]
    return right, bool(right)


def told(difference: Difference) -> Any:
    if isinstance(difference.ours, np.ndarray):
        row = min(difference.rows)
        return row, difference.ours[row], difference.theirs[row]
    return difference.ours, difference.theirs


@pytest.mark.parametrize("peer", PEERS)
def test_every_difference_is_known(peer: str) -> None:
    unknown = [
        (each.case.name, each.about, told(each))
        for each in comparison().differences
        if each.peer == peer and not explanations(each)[1]
    ]
    assert unknown == []


def test_every_known_difference_still_occurs() -> None:
    occurring = {
        (each.peer, name) for each in comparison().differences for name in explanations(each)[0]
    }
    assert occurring == {(peer, each.name) for each in DIVERGENCES for peer in each.peers}


def test_every_chart_has_a_peer_that_agrees() -> None:
    differing = {(each.peer, each.case.chart, each.case.name) for each in comparison().differences}
    agreeing = {
        chart
        for (peer, chart), count in comparison().compared.items()
        if count > sum(each[:2] == (peer, chart) for each in differing)
    }
    assert agreeing & CHARTS.keys() == CHARTS.keys() - NO_PEER


def test_every_rule_that_is_compared_finds_something() -> None:
    compared = {about for about in comparison().compared if "/" in about[1]}
    assert {about for about in compared if not comparison().found[about]} == set()
    assert len(compared) == 35
