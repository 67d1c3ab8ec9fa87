"""Whatever is written, the answer is the one that computing everything anew would give."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import Session, delete

from app.analytics.summaries.models import MeasureSummary
from app.measures.models import Family
from tests.analytics.test_measure_spc import BASELINE, SHIFTED, fill
from tests.builders import make_measure, make_project
from tests.calling import Caller
from tests.progress.results.walking import Walk
from tests.world import World

READS, WRITES = 18, 4
_OF_A_POINT = ("centre", "lower_limit", "upper_limit", "target")


def _expected(caller: Caller, line: dict[str, Any]) -> dict[str, Any]:
    """What the chart of the headline says, read and drawn by another way."""
    response = caller.get(f"/measures/{line['measure_id']}/spc")
    chart = response.json()
    if response.status_code == 422:
        return {"fault": chart["errors"][0]["code"]}
    points = chart["points"]
    valued = [point for point in points if point["value"] is not None]
    return {
        "fault": None,
        "chart": chart["chart"],
        "rule_set": chart["settings"]["rule_set"],
        "measure_name": chart["title"],
        "points": len(points),
        "variation": chart["variation"],
        "assurance": chart["assurance"],
        "signals": len(chart["signals"]),
        "latest": {name: valued[-1][name] for name in ("x", "value")} if valued else None,
        **{name: points[-1][name] if points else None for name in _OF_A_POINT},
    }


def _check_attainment(caller: Caller, attainment: dict[str, Any]) -> None:
    if attainment["measure_id"] is None:
        return
    chart = caller.get(f"/measures/{attainment['measure_id']}/spc").json()
    for name in ("baseline", "current"):
        found = attainment[name]
        if found is not None:
            assert found["centre"] == chart["phases"][found["phase"]]["centre"]
    if attainment["current"] is not None:
        assert attainment["current"]["phase"] == len(chart["phases"]) - 1
    if attainment["attainment"] is not None:
        base, now = attainment["baseline"]["centre"], attainment["current"]["centre"]
        way = attainment["target"] - base
        assert attainment["attainment"] == pytest.approx((now - base) / way)


@pytest.mark.parametrize("seed", [1, 2])
def test_it_is_never_stale(
    call: Callable[..., Caller], session: Session, world: World, seed: int
) -> None:
    projects = [world.project, world.other_project, make_project(session, team=world.team)]
    for project in projects:
        fill(session, make_measure(session, project=project, position=1), BASELINE + SHIFTED)
        make_measure(session, project=project, position=2, family=Family.PROCESS)
    caller, path = call(world.facilitator), f"/programmes/{world.programme.id}/analytics"
    walk = Walk(caller, world.programme, projects, seed)
    variations: set[str | None] = set()
    for _ in range(READS):
        for _ in range(WRITES):
            walk.step()
        answer = caller.ok(path)
        for line in answer["items"]:
            if line["measure_id"] is not None:
                expected = _expected(caller, line)
                found = line | {"fault": line["fault"] and line["fault"]["code"]}
                assert {name: found[name] for name in expected} == expected
            if line["attainment"] is not None:
                _check_attainment(caller, line["attainment"])
            variations.add(line["variation"])
        if walk.random.random() < 0.5:  # the other half of the time, what is stored is built upon
            session.exec(delete(MeasureSummary))
            session.commit()
        assert caller.ok(path) == answer
    assert len(walk.done) >= 10, walk.done
    assert len(variations) >= 2, variations
