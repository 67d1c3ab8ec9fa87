"""Real data: accident and emergency attendances of eight London providers, imported and charted.

NHS England, Open Government Licence v3.0, tidied by NHS-R (NHSRdatasets, CC0). The file is no part
this repository.
"""

import csv
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.calling import Caller
from tests.world import World

DATA = Path(__file__).resolve().parents[2].parent / "shared/data/ae_attendances_sample.csv"

pytestmark = pytest.mark.skipif(
    not DATA.exists(), reason="the sample of A&E attendances is not beside this checkout"
)


def _by_provider() -> dict[str, list[str]]:
    lines: dict[str, list[str]] = defaultdict(lambda: ["period_start,numerator,denominator"])
    with DATA.open(newline="") as file:
        for row in csv.DictReader(file):
            period, breaches, attendances = row["period"], row["breaches"], row["attendances"]
            lines[row["org_code"]].append(f"{period},{breaches},{attendances}")
    return dict(lines)


@pytest.fixture
def charts(call: Callable[..., Caller], world: World) -> list[dict[str, Any]]:
    """Eight measures, each loaded as CSV by one call, and all of them read back by one call."""
    lead = call(world.team_lead)
    for position, (provider, lines) in enumerate(sorted(_by_provider().items())):
        measure = lead.create(
            f"/projects/{world.project.id}/measures",
            {
                "name": f"Over four hours, {provider}",
                "family": "outcome",
                "data_type": "proportion",
                "direction": "decrease",
                "unit": "%",
                "multiplier": 100,
                "targets": [{"from": None, "value": 5}],
                "baseline_points": 12,
                "position": position,
            },
        )
        loaded = lead(
            "POST",
            f"/measures/{measure['id']}/data-points/bulk",
            content="\n".join(lines).encode(),
            headers={"Content-Type": "text/csv"},
        )
        assert loaded.status_code == 200, loaded.text
        assert loaded.json()["created"] == 36
    items: list[dict[str, Any]] = lead.ok(f"/projects/{world.project.id}/spc")["items"]
    return items


def test_eight_providers_three_years(charts: list[dict[str, Any]]) -> None:
    assert len(charts) == 8
    for item in charts:
        chart = item["spc"]
        assert chart["chart"] == "p"
        assert len(chart["points"]) == 36
        assert (chart["points"][0]["x"], chart["points"][-1]["x"]) == ("2016-04-01", "2019-03-01")
        assert chart["quality"]["limits"] == "provisional"
        numerators = sum(point["numerator"] for point in chart["points"][:12])
        denominators = sum(point["denominator"] for point in chart["points"][:12])
        centre = 100 * numerators / denominators
        assert chart["points"][35]["centre"] == pytest.approx(centre, rel=1e-9)


def test_months_with_so_many_patients_are_over_dispersed(charts: list[dict[str, Any]]) -> None:
    """With thousands a month, binomial limits are so narrow that most months lie outside them."""
    outside = [
        sum(point["outside_limits"] for point in item["spc"]["points"]) / 36 for item in charts
    ]
    assert sum(outside) / len(outside) > 0.5
