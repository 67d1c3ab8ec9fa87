"""Ramps: the next cycle copies the last, numbers are dense, links never turn in a circle."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, col, select

from app.pdsa.models import PDSACycle
from tests.builders import make_cycle
from tests.calling import Caller
from tests.pdsa.bodies import DO, NEW, PLAN, carry
from tests.world import World

Call = Callable[..., Caller]
# Each example works on a cycle or project path of its own, so the fixtures may be shared.
examples = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SHORT = {"title": "Next", "purpose": "test_change"}


@pytest.fixture
def member(call: Call, world: World) -> Caller:
    return call(world.member)


@pytest.fixture
def cycles(world: World) -> str:
    return f"/projects/{world.project.id}/pdsa-cycles"


def test_the_next_cycle_copies_what_is_not_given(member: Caller, cycles: str) -> None:
    first = member.create(cycles, NEW)
    plan = {"where": "Both practices", "data_plan": {"how": "Search"}}
    body = SHORT | {"previous_cycle_id": first["id"], "plan": plan}
    second = member.create(cycles, body)
    assert (second["ramp_id"], second["cycle_no"]) == (first["ramp_id"], 2)
    assert second["ramp_length"] == 2
    assert second["previous_cycle_id"] == first["id"]
    expected = first["plan"] | {"where": "Both practices", "when_start": None, "when_end": None}
    expected["data_plan"] = first["plan"]["data_plan"] | {"how": "Search"}
    old, new = expected.pop("predictions"), second["plan"].pop("predictions")
    assert second["plan"] == expected
    assert [item | {"id": None} for item in new] == [item | {"id": None} for item in old]
    assert new[0]["id"] != old[0]["id"]
    assert member.ok(f"/pdsa-cycles/{first['id']}")["ramp_length"] == 2


def test_without_a_previous_cycle_a_ramp_begins(member: Caller, cycles: str) -> None:
    first, other = member.create(cycles, NEW), member.create(cycles, SHORT)
    assert first["ramp_id"] != other["ramp_id"]
    assert (other["cycle_no"], other["plan"]["questions"]) == (1, [])


def test_the_previous_cycle_is_a_live_one_of_the_project(
    member: Caller, session: Session, world: World, cycles: str
) -> None:
    foreign = make_cycle(session, project=world.other_project)
    archived = make_cycle(session, project=world.project, archived_at=foreign.created_at)
    for wrong in (foreign.id, archived.id, world.project.id):
        refused = member.post(cycles, SHORT | {"previous_cycle_id": str(wrong)})
        assert refused.json()["code"] == "reference_not_found"
        assert refused.json()["errors"][0]["pointer"] == "#/previous_cycle_id"


@examples
@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=8))
def test_numbers_are_dense_and_links_acyclic(
    member: Caller, session: Session, cycles: str, steps: list[tuple[int, bool]]
) -> None:
    """Whichever cycles are continued, and whichever are archived in between."""
    made: list[dict[str, Any]] = []
    for choice, is_archived in steps:
        previous = made[choice % len(made)]["id"] if made and choice else None
        made.append(member.create(cycles, SHORT | {"previous_cycle_id": previous}))
        if is_archived:
            last = made.pop()
            assert member.delete(f"/pdsa-cycles/{last['id']}").status_code == 204
    session.expire_all()
    rows = session.exec(select(PDSACycle).order_by(col(PDSACycle.cycle_no))).all()
    ramps: dict[Any, list[int]] = {}
    numbers = {row.id: (row.ramp_id, row.cycle_no) for row in rows}
    for row in rows:
        ramps.setdefault(row.ramp_id, []).append(row.cycle_no)
        if row.previous_cycle_id is not None:
            ramp_id, cycle_no = numbers[row.previous_cycle_id]
            assert ramp_id == row.ramp_id
            assert cycle_no < row.cycle_no
    for ramp in ramps.values():
        assert ramp == list(range(1, len(ramp) + 1))


PATCHES = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "title": st.just("Another title"),
            "plan": st.fixed_dictionaries(
                {},
                optional={
                    "predictions": st.sampled_from(
                        [[], PLAN["predictions"], None, [{"text": "x"}]]
                    ),
                    "questions": st.just(["Another?"]),
                    "where": st.just("Elsewhere"),
                },
            ),
            "do": st.just(DO),
            "study": st.just({"learning": "Other"}),
            "act": st.just({"decision": "adopt"}),
        },
    ),
    min_size=1,
    max_size=4,
)


@examples
@given(PATCHES, st.sampled_from(["doing", "studying", "acting", "closed"]))
def test_predictions_never_change_after_the_start(
    member: Caller, cycles: str, patches: list[dict[str, Any]], state: str
) -> None:
    cycle = member.create(cycles, NEW)
    started = carry(member, cycle, "doing")
    path = f"/pdsa-cycles/{cycle['id']}"
    for patch in patches:
        answer = member.patch(path, patch)
        assert answer.status_code in {200, 409, 422}, answer.text
    carry(member, member.ok(path), state)
    for patch in patches:
        assert member.patch(path, patch).status_code in {200, 409, 422}
    after = member.ok(path)
    assert after["plan"]["predictions"] == started["plan"]["predictions"]
    assert after["predictions_hash"] == started["predictions_hash"]
