"""Excluding and including points: alone, together, and what a replacement does to exclusions."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import Session

from app.access.permissions import Role
from app.measures.models import DataPoint, Measure
from tests.builders import make_data_point, make_measure
from tests.calling import Caller
from tests.measures.bodies import bulk, data_of, events_of, refused, series_of, upload
from tests.world import World

Call = Callable[..., Caller]
DAYS = [(date(2018, 1, 1) + timedelta(weeks=week)).isoformat() for week in range(6)]
FLOOD = {"periods": DAYS[1:3], "reason": "Flood"}


@pytest.fixture
def measure(session: Session, world: World) -> Measure:
    measure = make_measure(session, project=world.project)
    for week, day in enumerate(DAYS):
        start = date.fromisoformat(day)
        make_data_point(
            session,
            measure=measure,
            period_start=start,
            numerator=float(week + 3),
            denominator=20.0,
            value=(week + 3) / 20,
        )
    return measure


@pytest.fixture
def points(session: Session, measure: Measure) -> list[DataPoint]:
    """A second stratum of the first week too."""
    first = date.fromisoformat(DAYS[0])
    return [make_data_point(session, measure=measure, period_start=first, stratum="west")]


@pytest.fixture
def member(call: Call, world: World) -> Caller:
    return call(world.member)


def _excluded(caller: Caller, measure: Measure) -> dict[str, Any]:
    found = caller.ok(f"/measures/{measure.id}/data-points", excluded="true")["items"]
    return {point["period_start"]: point for point in found}


def _chart(caller: Caller, measure: Measure) -> Any:
    document = caller.ok(f"/measures/{measure.id}/spc")
    document.pop("as_of")
    return document


def test_several_periods_and_back(
    member: Caller, world: World, session: Session, measure: Measure, points: list[DataPoint]
) -> None:
    before = _chart(member, measure)
    path = f"/measures/{measure.id}"
    response = member.post(f"{path}/exclusions", FLOOD)
    assert (response.status_code, response.json()) == (200, {"changed": 2, "unchanged": 0})
    found = _excluded(member, measure)
    assert list(found) == DAYS[1:3]
    for point in found.values():
        assert (point["excluded_reason"], point["excluded_by"]) == ("Flood", str(world.member.id))
        assert point["excluded_at"] is not None
        assert point["revision"] == 2
    assert series_of(member, measure) == (1, 1)
    assert _chart(member, measure) != before
    again = member.post(f"{path}/exclusions", FLOOD | {"periods": DAYS[1:4]})
    assert again.json() == {"changed": 1, "unchanged": 2}
    back = member.post(f"{path}/inclusions", {"periods": DAYS[1:5]})
    assert back.json() == {"changed": 3, "unchanged": 1}
    assert _excluded(member, measure) == {}
    assert _chart(member, measure) == before
    types = [event.type for event in events_of(session, measure.id)]
    assert types == ["data_point.excluded"] * 2 + ["data_point.included"]
    last = events_of(session, measure.id)[-1]
    assert last.changes[DAYS[1]] == [
        {"excluded": True, "excluded_reason": "Flood"},
        {"excluded": False, "excluded_reason": None},
    ]
    told = {name: data_of(last)[name] for name in ("changed", "from", "to", "stratum")}
    assert told == {"changed": 3, "from": DAYS[1], "to": DAYS[3], "stratum": ""}
    assert "Flood" not in last.payload


def test_nothing_to_change_is_no_event(member: Caller, session: Session, measure: Measure) -> None:
    same = member.post(f"/measures/{measure.id}/inclusions", {"periods": DAYS[:1]})
    assert same.json() == {"changed": 0, "unchanged": 1}
    assert events_of(session, measure.id) == []
    assert series_of(member, measure) == (1, 0)


def test_a_new_reason_is_somebody_elses(
    call: Call, world: World, member: Caller, measure: Measure
) -> None:
    path = f"/measures/{measure.id}/exclusions"
    member.post(path, FLOOD)
    call(world.team_lead).post(path, FLOOD | {"reason": "Flood, half the cases lost"})
    found = _excluded(member, measure)[DAYS[1]]
    assert found["excluded_by"] == str(world.team_lead.id)
    assert found["revision"] == 3


@pytest.mark.parametrize(
    ("over", "pointer", "code"),
    [
        ({"periods": [DAYS[1], "2018-01-02"]}, "#/periods/1", "not_recorded"),
        ({"stratum": "west"}, "#/periods/0", "not_recorded"),
        ({"stratum": "No!"}, "#/stratum", "string_pattern_mismatch"),
        ({"periods": []}, "#/periods", "too_short"),
        ({"periods": DAYS * 200}, "#/periods", "too_long"),
        ({"periods": ["yesterday"]}, "#/periods/0", "date_type"),
        ({"reason": "  "}, "#/reason", "string_too_short"),
        ({"reason": "a\x00"}, "#/reason", "unstorable_text"),
        ({"surprise": 1}, "#/surprise", "extra_forbidden"),
    ],
)
def test_all_or_none(
    member: Caller,
    measure: Measure,
    points: list[DataPoint],
    over: dict[str, Any],
    pointer: str,
    code: str,
) -> None:
    response = member.post(f"/measures/{measure.id}/exclusions", FLOOD | over)
    refused(response, 422, code, pointer)
    assert _excluded(member, measure) == {}


def test_the_strata_are_apart(member: Caller, measure: Measure, points: list[DataPoint]) -> None:
    body = {"periods": DAYS[:1], "stratum": "west", "reason": "Flood"}
    assert member.post(f"/measures/{measure.id}/exclusions", body).json()["changed"] == 1
    assert _excluded(member, measure)[DAYS[0]]["stratum"] == "west"


def test_one_point_is_excluded_by_a_patch(
    member: Caller, session: Session, measure: Measure
) -> None:
    made = member.ok(f"/measures/{measure.id}/data-points")["items"][0]
    path = f"/data-points/{made['id']}"
    out = member.patch(path, {"excluded": True, "excluded_reason": "Flood"}).json()
    assert out["excluded_at"] == out["updated_at"]
    kept = member.patch(path, {"note": "See minutes"}).json()
    assert kept["excluded_at"] == out["excluded_at"]
    back = member.patch(path, {"excluded": False}).json()
    assert (back["excluded_by"], back["excluded_at"]) == (None, None)
    both = {"excluded": True, "excluded_reason": "Half lost", "numerator": 4}
    member.patch(path, both)
    types = [event.type for event in events_of(session, measure.id)]
    verbs = ["excluded", "corrected", "included", "corrected"]
    assert types == [f"data_point.{verb}" for verb in verbs]


def test_a_put_keeps_an_exclusion_until_it_says_otherwise(
    member: Caller, world: World, measure: Measure
) -> None:
    member.post(f"/measures/{measure.id}/exclusions", FLOOD)
    path = f"/measures/{measure.id}/data-points/{DAYS[1]}"
    numbers = {"numerator": 9, "denominator": 20}
    kept = member.put(path, numbers, **{"If-Match": "*"}).json()
    assert (kept["numerator"], kept["excluded"], kept["excluded_reason"]) == (9, True, "Flood")
    assert kept["excluded_by"] == str(world.member.id)
    back = member.put(path, numbers | {"excluded": False}, **{"If-Match": "*"}).json()
    assert (back["excluded"], back["excluded_reason"]) == (False, None)


def test_a_batch_says_what_became_of_exclusions(member: Caller, measure: Measure) -> None:
    member.post(f"/measures/{measure.id}/exclusions", FLOOD | {"periods": DAYS[1:5]})
    rows: list[dict[str, Any]] = [
        {"period_start": day, "numerator": 7, "denominator": 20} for day in DAYS[1:3]
    ]
    kept = bulk(member, measure, rows).json()
    assert (kept["updated"], kept["exclusions_ended"]) == (2, 0)
    assert list(_excluded(member, measure)) == DAYS[1:5]
    rows[0]["excluded"] = False
    options = {"mode": "replace_range", "from": DAYS[1], "to": DAYS[3]}
    trial = bulk(member, measure, rows, dry_run=True, **options).json()
    replaced = bulk(member, measure, rows, **options).json()
    assert trial == replaced | {"dry_run": True}
    assert (replaced["archived"], replaced["exclusions_ended"]) == (1, 2)
    assert list(_excluded(member, measure)) == [DAYS[2], DAYS[4]]
    new = [{"period_start": DAYS[0], "excluded": True, "excluded_reason": "Flood"}]
    assert bulk(member, measure, new).json()["excluded"] == 1


def test_a_file_ends_an_exclusion_only_by_its_column(member: Caller, measure: Measure) -> None:
    member.post(f"/measures/{measure.id}/exclusions", FLOOD)
    without = f"period_start,numerator,denominator\n{DAYS[1]},9,20\n"
    assert upload(member, measure, without).json()["exclusions_ended"] == 0
    header = "period_start,numerator,denominator,excluded\n"
    silent = upload(member, measure, f"{header}{DAYS[1]},10,20,\n")
    assert silent.json()["exclusions_ended"] == 0
    assert upload(member, measure, f"{header}{DAYS[1]},10,20,0\n").json()["exclusions_ended"] == 1


def test_nothing_under_an_archived_parent(
    call: Call, world: World, member: Caller, measure: Measure
) -> None:
    call(world.team_lead).delete(f"/measures/{measure.id}")
    refused(member.post(f"/measures/{measure.id}/exclusions", FLOOD), 409, "archived")


@pytest.mark.parametrize(("role", "status"), [(Role.OBSERVER, 403), (Role.COMMISSIONER, 404)])
def test_who_may_not(call: Call, world: World, measure: Measure, role: Role, status: int) -> None:
    path = f"/measures/{measure.id}"
    caller = call(world.people[role])
    assert caller.post(f"{path}/exclusions", FLOOD).status_code == status
    assert caller.post(f"{path}/inclusions", {"periods": DAYS[:1]}).status_code == status
