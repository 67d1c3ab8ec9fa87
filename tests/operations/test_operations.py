"""The operation resource: who sees it, how it is followed, cancelled and listed."""

import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlmodel import Session, col, select

from app.access.permissions import Role
from app.events.models import Event
from app.kit.clock import utc_now
from app.kit.db import Database
from app.operations.models import Operation, OperationInput, OperationState
from app.operations.running import operator
from app.operations.steps import Turn
from tests.builders import make_measure
from tests.calling import Caller
from tests.exchange import make_operation
from tests.jobs.draining import drain
from tests.measures.bodies import refused
from tests.measures.importing import csv_of, points, post
from tests.operations.bodies import KIND, counting, work_off
from tests.world import World

Call = Callable[..., Caller]


@pytest.fixture
def operation(session: Session, world: World) -> Operation:
    """One of the member's."""
    return make_operation(session, programme=world.programme, owner=world.member)


def finished_events(session: Session, operation: Operation) -> list[dict[str, Any]]:
    statement = select(Event.payload).where(
        Event.resource_id == operation.id, Event.type == "operation.finished"
    )
    return [json.loads(payload)["data"] for payload in session.exec(statement)]


def test_it_reads_as_it_stands(call: Call, world: World, operation: Operation) -> None:
    response = call(world.member).get(f"/operations/{operation.id}")
    assert response.status_code == 200
    document = response.json()
    assert (document["kind"], document["state"]) == (KIND, "pending")
    assert document["progress"] == {"done": 0, "total": None}
    assert {document[name] for name in ("result", "error", "started_at", "finished_at")} == {None}
    assert int(response.headers["Retry-After"]) >= 1
    same = call(world.member)(
        "GET", f"/operations/{operation.id}", headers={"If-None-Match": response.headers["ETag"]}
    )
    assert (same.status_code, same.headers["Retry-After"]) == (
        304,
        response.headers["Retry-After"],
    )


def test_the_end(
    call: Call, world: World, operation: Operation, database: Database, session: Session
) -> None:
    member = call(world.member)
    before = member.get(f"/operations/{operation.id}").headers["ETag"]
    work_off(database, {KIND: counting(3)})
    response = member.get(f"/operations/{operation.id}")
    document = response.json()
    assert document["state"] == "succeeded"
    assert document["progress"] == {"done": 3, "total": 3}
    assert document["started_at"] <= document["finished_at"] < document["expires_at"]
    assert "Retry-After" not in response.headers
    assert response.headers["ETag"] != before
    assert [data["state"] for data in finished_events(session, operation)] == ["succeeded"]
    session.expire_all()
    event = session.exec(select(Event).where(Event.type == "operation.finished")).one()
    assert (event.programme_id, event.actor_id) == (world.programme.id, world.member.id)


SEEN = {Role.PLATFORM_ADMIN, Role.PROVIDER_ADMIN, Role.FACILITATOR, Role.MEMBER}


def test_own_ones_and_those_of_the_programme(
    call: Call, world: World, operation: Operation, session: Session
) -> None:
    foreign = make_operation(session, programme=world.other_programme, owner=world.admin)
    for role, user in world.people.items():
        caller = call(user)
        assert caller.get(f"/operations/{operation.id}").status_code == (
            200 if role in SEEN else 404
        )
        listed = {item["id"] for item in caller.ok("/operations")["items"]}
        expected = {str(operation.id)} if role in SEEN else set()
        assert listed == expected | ({str(foreign.id)} if role is Role.PLATFORM_ADMIN else set())
    assert call(world.stranger).ok("/operations")["items"] == []


def test_a_token_follows_what_it_has_asked_for(
    call: Call, world: World, session: Session, operation: Operation
) -> None:
    login = call(world.member)
    token, reader = login.with_token("data_point:write"), login.with_token("operation:read")
    bound = login.with_token("operation:read", programme_id=world.programme.id)
    token_id = next(
        item["id"]
        for item in login.ok("/auth/tokens")["items"]
        if item["scopes"] == ["data_point:write"]
    )
    own = make_operation(
        session, programme=world.programme, owner=world.member, token_id=uuid.UUID(token_id)
    )
    elsewhere = make_operation(session, programme=world.other_programme, owner=world.member)
    assert _listed(token) == {own.id}
    assert _listed(reader) == {own.id, operation.id, elsewhere.id}
    assert _listed(bound) == {own.id, operation.id}
    refused(token.get(f"/operations/{operation.id}"), 404, "not_found")


def _listed(caller: Caller) -> set[Any]:
    return {uuid.UUID(item["id"]) for item in caller.ok("/operations")["items"]}


def test_filters_and_sorts(call: Call, world: World, session: Session) -> None:
    programme = world.programme
    rows = [
        make_operation(
            session,
            programme=programme,
            owner=world.member,
            kind=kind,
            state=state,
            project_id=world.project.id if state is OperationState.FAILED else None,
            created_at=utc_now() + timedelta(seconds=number),
        )
        for number, (kind, state) in enumerate(
            [
                ("a", OperationState.PENDING),
                ("b", OperationState.FAILED),
                ("b", OperationState.RUNNING),
            ]
        )
    ]
    ids = [str(row.id) for row in rows]
    member = call(world.member)

    def found(**params: Any) -> list[str]:
        return [item["id"] for item in member.ok("/operations", **params)["items"]]

    assert found() == ids[::-1]
    assert found(sort="created_at") == ids
    assert found(state=["pending", "failed"], sort="created_at") == ids[:2]
    assert found(kind="b") == [ids[2], ids[1]]
    assert found(project_id=str(world.project.id)) == [ids[1]]
    assert found(programme_id=str(world.other_programme.id)) == []
    page = member.ok("/operations", limit=2)
    rest = member.ok("/operations", limit=2, cursor=page["next_cursor"])
    assert [item["id"] for item in page["items"] + rest["items"]] == ids[::-1]
    assert member.get("/operations", state="lost").status_code == 422


def test_what_waits_is_cancelled_at_once(
    call: Call, world: World, operation: Operation, database: Database, session: Session
) -> None:
    session.add(OperationInput(operation_id=operation.id, media_type="text/csv", content=b"x"))
    session.commit()
    member = call(world.member)
    response = member.post(f"/operations/{operation.id}/cancel")
    assert response.status_code == 202
    assert response.json()["state"] == "cancelled"
    assert response.headers["Location"] == f"/api/v1/operations/{operation.id}"
    assert "Retry-After" not in response.headers
    assert [data["state"] for data in finished_events(session, operation)] == ["cancelled"]
    assert session.exec(select(OperationInput)).all() == []
    refused(member.post(f"/operations/{operation.id}/cancel"), 409, "operation_finished")
    assert [type(outcome).__name__ for outcome in work_off(database, {})] == ["Done"]


def test_what_runs_is_cancelled_before_its_next_chunk(
    call: Call, world: World, operation: Operation, database: Database, session: Session
) -> None:
    member = call(world.member)
    pauses = iter(range(1, 100))

    def pause(_seconds: float) -> None:
        if next(pauses) == 2:
            answers.append(member.post(f"/operations/{operation.id}/cancel"))
            answers.append(member.post(f"/operations/{operation.id}/cancel"))

    answers: list[Any] = []
    drain(database, [operator({KIND: counting(5)}, database=database, pause=pause)])
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json()["state"] == "running"
    assert answers[0].json()["cancel_asked_at"] == answers[1].json()["cancel_asked_at"]
    document = member.ok(f"/operations/{operation.id}")
    assert (document["state"], document["progress"]["done"]) == ("cancelled", 2)
    assert [data["state"] for data in finished_events(session, operation)] == ["cancelled"]


def test_who_may_cancel(call: Call, world: World, operation: Operation) -> None:
    path = f"/operations/{operation.id}/cancel"
    refused(call(world.facilitator).post(path), 403, "forbidden")
    refused(call(world.team_lead).post(path), 404, "not_found")
    assert call(world.admin).post(path).status_code == 202


IMPORTS = ("measure:read", "data_point:write")


def test_a_token_cancels_only_what_was_asked_for_with_it(
    call: Call, world: World, operation: Operation, session: Session
) -> None:
    """Whoever may only read cannot end work that a login or another token has begun."""
    member = call(world.member)
    reader, importer = member.with_token("operation:read"), member.with_token(*IMPORTS)
    path = f"/operations/{operation.id}/cancel"
    refused(reader.post(path), 403, "scope_insufficient")
    refused(importer.post(path), 404, "not_found")
    assert reader.ok(f"/operations/{operation.id}")["cancel_asked_at"] is None
    measure = make_measure(session, project=world.project)
    begun = post(importer, measure, csv_of(points(1))).headers["Location"].removeprefix("/api/v1")
    refused(reader.post(f"{begun}/cancel"), 403, "scope_insufficient")
    assert importer.post(f"{begun}/cancel").status_code == 202


def test_progress_only_grows(
    call: Call, world: World, operation: Operation, database: Database, session: Session
) -> None:
    seen: list[tuple[int, int]] = []

    def look(turn: Turn, _number: int) -> None:
        seen.append((turn.operation.done, turn.operation.revision))

    work_off(database, {KIND: counting(6, before=look)})
    assert [done for done, _ in seen] == [0, 1, 2, 3, 4, 5]
    assert all(one < next_ for (_, one), (_, next_) in pairwise(seen))


def test_it_begins_with_an_event(call: Call, world: World, session: Session) -> None:
    response = post(
        call(world.member), make_measure(session, project=world.project), csv_of(points(1))
    )
    event = session.exec(select(Event).where(col(Event.type) == "operation.created").limit(1)).one()
    data = json.loads(event.payload)["data"]
    assert data["url"] == response.headers["Location"]
    assert (data["kind"], data["state"]) == ("data_points.import", "pending")
    assert (event.programme_id, event.project_id) == (world.programme.id, world.project.id)
