"""Single data points over HTTP: record, replace, correct, archive, and what each sets off."""

from collections.abc import Callable
from datetime import date

import pytest
from sqlmodel import Session

from app.access.permissions import Role
from tests.builders import make_data_point, make_measure
from tests.calling import Caller
from tests.measures.bodies import POINT, codes, data_of, events_of, refused, series_of
from tests.world import World

Call = Callable[..., Caller]


def test_record(call: Call, world: World, session: Session) -> None:
    measure = make_measure(session, project=world.project)
    member = call(world.member)
    body = POINT | {"period_end": "2018-01-07", "stratum": "west", "note": "Snow"}
    response = member.post(f"/measures/{measure.id}/data-points", body)
    assert response.status_code == 201, response.text
    made = response.json()
    assert response.headers["Location"] == f"/api/v1/data-points/{made['id']}"
    assert {name: made[name] for name in body} == body
    assert made["value"] == 0.4
    assert (made["status"], made["source"], made["excluded"]) == ("final", "api", False)
    assert made["entered_by"] == str(world.member.id)
    assert member.ok(f"/data-points/{made['id']}") == made
    assert series_of(member, measure) == (1, 1)
    event = events_of(session, measure.id)[0]
    assert (event.type, str(event.resource_id)) == ("data_point.recorded", made["id"])
    assert data_of(event)["measure_id"] == str(measure.id)
    assert "Snow" not in event.payload


def test_a_period_is_recorded_once(call: Call, world: World, session: Session) -> None:
    measure = make_measure(session, project=world.project)
    member = call(world.member)
    path = f"/measures/{measure.id}/data-points"
    made = member.create(path, POINT)
    twin = member.post(path, POINT)
    refused(twin, 409, "already_exists")
    assert codes(twin) == {("#/stratum", "already_exists"), ("#/period_start", "already_exists")}
    member.create(path, POINT | {"stratum": "west"})
    member.delete(f"/data-points/{made['id']}")
    again = member.create(path, POINT)
    assert again["id"] != made["id"]
    refused(member.post(f"/data-points/{made['id']}/restore"), 409, "already_exists")


def test_an_idempotent_record(call: Call, world: World, session: Session) -> None:
    measure = make_measure(session, project=world.project)
    member = call(world.member)
    path = f"/measures/{measure.id}/data-points"
    first = member.post(path, POINT, **{"Idempotency-Key": "once"})
    again = member.post(path, POINT, **{"Idempotency-Key": "once"})
    assert again.json() == first.json()
    assert series_of(member, measure) == (1, 1)


def test_put_creates_then_replaces(call: Call, world: World, session: Session) -> None:
    measure = make_measure(session, project=world.project)
    member = call(world.member)
    path = f"/measures/{measure.id}/data-points/2018-01-01"
    body = {"numerator": 8, "denominator": 20, "note": "Snow"}
    made = member.put(path, body)
    assert made.status_code == 201, made.text
    assert made.headers["Location"] == f"/api/v1/data-points/{made.json()['id']}"
    refused(member.put(path, body), 428, "precondition_required")
    refused(member.put(path, body, **{"If-Match": '"9"'}), 412, "revision_mismatch")
    refused(member.put(path, body, **{"If-None-Match": "*"}), 412, "revision_mismatch")
    replaced = member.put(
        path, {"numerator": 9, "denominator": 20}, **{"If-Match": made.headers["ETag"]}
    )
    assert replaced.status_code == 200, replaced.text
    assert replaced.json()["id"] == made.json()["id"]
    assert (replaced.json()["value"], replaced.json()["note"]) == (0.45, None)
    assert replaced.headers["ETag"] == '"2"'
    types = [event.type for event in events_of(session, measure.id)]
    assert types == ["data_point.recorded", "data_point.corrected"]
    assert events_of(session, measure.id)[1].changes["note"] == ["Snow", None]
    assert series_of(member, measure) == (1, 2)


def test_put_of_the_same_changes_nothing(call: Call, world: World, session: Session) -> None:
    measure = make_measure(session, project=world.project)
    member = call(world.member)
    path = f"/measures/{measure.id}/data-points/2018-01-01"
    body = {"numerator": 8, "denominator": 20}
    made = member.put(path, body, **{"If-None-Match": "*"})
    same = member.put(path, body, **{"If-Match": "*"})
    assert same.json() == made.json()
    assert len(events_of(session, measure.id)) == 1
    assert series_of(member, measure) == (1, 1)


def test_put_addresses_a_stratum(call: Call, world: World, session: Session) -> None:
    measure = make_measure(session, project=world.project)
    member = call(world.member)
    path = f"/measures/{measure.id}/data-points/2018-01-01"
    body = {"numerator": 8, "denominator": 20}
    assert member.put(path, body).status_code == 201
    west = member.put(f"{path}?stratum=west", body)
    assert west.status_code == 201
    assert west.json()["stratum"] == "west"
    refused(member.put(f"{path}?stratum=Not%20one", body), 422, "validation_failed")
    refused(member.put(path.replace("01-01", "13-01"), body), 422, "validation_failed")
    refused(member.put(path.replace("2018-01-01", "1514764800"), body), 422, "validation_failed")


def test_patch_corrects_and_keeps_the_old(call: Call, world: World, session: Session) -> None:
    measure = make_measure(session, project=world.project)
    point = make_data_point(session, measure=measure)
    member = call(world.member)
    path = f"/data-points/{point.id}"
    refused(member("PATCH", path, json={"numerator": 9}), 428, "precondition_required")
    changed = member.patch(path, {"numerator": 9, "status": "corrected"}, '"1"')
    assert changed.status_code == 200, changed.text
    assert (changed.json()["value"], changed.json()["status"]) == (0.45, "corrected")
    event = events_of(session, measure.id)[-1]
    assert event.type == "data_point.corrected"
    assert event.changes["numerator"] == [8.0, 9.0]
    assert series_of(member, measure) == (1, 1)
    same = member.patch(path, {"numerator": 9}, '"2"')
    assert same.headers["ETag"] == '"2"'
    assert series_of(member, measure) == (1, 1)
    refused(
        member.patch(path, {"numerator": 21}), 422, "numerator_exceeds_denominator", "#/numerator"
    )
    refused(member.patch(path, {"denominator": None}), 422, "missing", "#/denominator")
    gap = member.patch(path, {"numerator": None, "denominator": None})
    assert gap.json()["value"] is None


def test_patch_moves_a_period(call: Call, world: World, session: Session) -> None:
    measure = make_measure(session, project=world.project)
    point = make_data_point(session, measure=measure)
    make_data_point(session, measure=measure, period_start=date(2018, 1, 8))
    member = call(world.member)
    taken = member.patch(f"/data-points/{point.id}", {"period_start": "2018-01-08"})
    refused(taken, 409, "already_exists", "#/period_start")
    moved = member.patch(f"/data-points/{point.id}", {"period_start": "2018-01-15"})
    assert moved.json()["period_start"] == "2018-01-15"


def test_exclude_with_a_reason(call: Call, world: World, session: Session) -> None:
    measure = make_measure(session, project=world.project)
    point = make_data_point(session, measure=measure)
    member, lead = call(world.member), call(world.team_lead)
    path = f"/data-points/{point.id}"
    refused(
        member.patch(path, {"excluded": True}), 422, "excluded_reason_required", "#/excluded_reason"
    )
    out = member.patch(path, {"excluded": True, "excluded_reason": "Computer failure"}).json()
    assert out["excluded_by"] == str(world.member.id)
    assert lead.patch(path, {"note": "See minutes"}).json()["excluded_by"] == str(world.member.id)
    other = lead.patch(path, {"excluded_reason": "Half the cases missing"}).json()
    assert other["excluded_by"] == str(world.team_lead.id)
    back = lead.patch(path, {"excluded": False}).json()
    assert (back["excluded"], back["excluded_by"], back["excluded_reason"]) == (False, None, None)
    assert series_of(lead, measure) == (1, 4)


def test_archive_and_restore(call: Call, world: World, session: Session) -> None:
    measure = make_measure(session, project=world.project)
    point = make_data_point(session, measure=measure)
    member = call(world.member)
    path = f"/data-points/{point.id}"
    assert member.delete(path).status_code == 204
    assert member.delete(path).status_code == 204
    assert series_of(member, measure) == (1, 1)
    refused(member.patch(path, {"note": "x"}), 409, "archived")
    assert member.ok(f"/measures/{measure.id}/data-points")["items"] == []
    assert member.post(f"{path}/restore").json()["archived_at"] is None
    assert member.post(f"{path}/restore").status_code == 200
    assert series_of(member, measure) == (1, 2)
    types = [event.type for event in events_of(session, measure.id)]
    assert types == ["data_point.archived", "data_point.restored"]


def test_data_entry_never_breaks_an_edit(call: Call, world: World, session: Session) -> None:
    measure = make_measure(session, project=world.project)
    member, lead = call(world.member), call(world.team_lead)
    tag = lead.get(f"/measures/{measure.id}").headers["ETag"]
    member.create(f"/measures/{measure.id}/data-points", POINT)
    assert lead.patch(f"/measures/{measure.id}", {"name": "New"}, tag).status_code == 200
    assert series_of(lead, measure) == (2, 2)


RECORDS = {
    Role.PLATFORM_ADMIN,
    Role.PROVIDER_ADMIN,
    Role.FACILITATOR,
    Role.COACH,
    Role.TEAM_LEAD,
    Role.MEMBER,
    Role.INTEGRATION,
}


@pytest.mark.parametrize("role", Role)
def test_who_may(call: Call, world: World, session: Session, role: Role) -> None:
    measure = make_measure(session, project=world.project)
    point = make_data_point(session, measure=measure)
    caller = call(world.people[role])
    path = f"/measures/{measure.id}/data-points"
    reads, records = role is not Role.COMMISSIONER, role in RECORDS
    refusal = 403 if reads else 404
    assert caller.get(path).status_code == (200 if reads else 404)
    assert caller.get(path, format="csv").status_code == (200 if reads else 404)
    assert caller.get(f"/data-points/{point.id}").status_code == (200 if reads else 404)
    later = POINT | {"period_start": "2018-02-01"}
    assert caller.post(path, later).status_code == (201 if records else refusal)
    put = caller.put(f"{path}/2018-03-01", {"numerator": 1, "denominator": 2})
    assert put.status_code == (201 if records else refusal)
    rows = {"items": [POINT | {"period_start": "2018-04-01"}]}
    assert caller.post(f"{path}/bulk", rows).status_code == (200 if records else refusal)
    one = f"/data-points/{point.id}"
    assert caller.patch(one, {"note": "x"}).status_code == (200 if records else refusal)
    assert caller.delete(one).status_code == (204 if records else refusal)
    assert caller.post(f"{one}/restore").status_code == (200 if records else refusal)


def test_others_see_nothing(call: Call, world: World, session: Session) -> None:
    point = make_data_point(session, measure=make_measure(session, project=world.other_project))
    member = call(world.member)
    assert member.get(f"/data-points/{point.id}").status_code == 404
    assert member.patch(f"/data-points/{point.id}", {"note": "x"}).status_code == 404
    path = f"/measures/{point.measure_id}/data-points"
    assert member.get(path).status_code == 404
    assert member.get(path, format="csv").status_code == 404
    assert member.post(f"{path}/bulk", {"items": []}).status_code == 404
    assert call().get(path).status_code == 401


def test_a_token_of_measure_scopes_is_enough(call: Call, world: World, session: Session) -> None:
    measure = make_measure(session, project=world.project)
    token = call(world.member).with_token("measure:read", "data_point:write")
    token.create(f"/measures/{measure.id}/data-points", POINT)
    reader = call(world.member).with_token("measure:read")
    refused(reader.post(f"/measures/{measure.id}/data-points", POINT), 403, "scope_insufficient")
