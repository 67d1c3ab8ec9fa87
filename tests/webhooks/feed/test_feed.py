"""The feed by number: every event once, in one order, to those alone who may read its resource."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from app.access.permissions import READ_BY_NOUN, Role, scope_of
from app.events.catalogue import Resource, Verb
from app.events.models import Event
from app.kit.db import Database
from app.kit.ids import new_id
from app.webhooks.feed import queries
from app.webhooks.feed.schemas import EventFilter
from tests.calling import Caller
from tests.webhooks.feed.happening import dispatch, happen
from tests.webhooks.feed.sights import sight_of
from tests.world import World

Call = Callable[..., Caller]


@pytest.fixture
def start(database: Database, session: Session, world: World) -> int:
    """The end of the feed before the test."""
    dispatch(database)
    with database.reading() as reading:
        return queries.newest(reading)


def _types(caller: Caller, **params: Any) -> list[str]:
    return [item["type"] for item in caller.ok("/events", **params)["items"]]


def test_an_item_is_what_a_webhook_sends(
    world: World, call: Call, database: Database, start: int
) -> None:
    caller = call(world.facilitator)
    team = caller.create(f"/programmes/{world.programme.id}/teams", {"name": "Made"})
    assert caller.ok("/events", after=start)["items"] == []  # without a place it is not told yet
    dispatch(database)
    page = caller.ok("/events", after=start, type="team.created")
    (item,) = page["items"]
    assert list(item) == ["id", "type", "timestamp", "seq", "data"]
    assert item["id"].startswith("evt_")
    assert len(item["id"]) == 4 + 32
    assert item["timestamp"].endswith("Z")
    assert item["data"] == {
        "id": team["id"],
        "url": f"/api/v1/teams/{team['id']}",
        "programme_id": str(world.programme.id),
        "revision": 1,
    }
    assert page["has_more"] is False


def test_an_id_in_the_stored_payload_is_told_once(
    world: World, call: Call, database: Database, session: Session, start: int
) -> None:
    event = happen(session, Resource.PROJECT, project=world.project)
    event.payload = event.payload.replace("{", f'{{"id":"evt_{event.id.hex}",', 1)
    session.commit()
    dispatch(database)
    (item,) = call(world.admin).ok("/events", after=start)["items"]
    assert item["id"] == f"evt_{event.id.hex}"


def test_one_number_is_enough_to_go_on(
    world: World, call: Call, database: Database, session: Session, start: int
) -> None:
    for _ in range(5):
        happen(session, Resource.PROJECT, project=world.project)
    dispatch(database)
    caller, after, seen = call(world.facilitator), start, []
    while True:
        page = caller.ok("/events", after=after, limit=2)
        seen += [item["seq"] for item in page["items"]]
        after = page["next_after"]
        if not page["has_more"]:
            break
    assert seen == list(range(start + 1, start + 6))
    assert after == start + 5
    assert caller.ok("/events", after=after) == {
        "items": [],
        "next_after": after,
        "has_more": False,
    }


def test_the_number_moves_on_past_what_is_hidden_and_never_back(
    world: World, call: Call, database: Database, session: Session, start: int
) -> None:
    happen(session, Resource.PROJECT, project=world.foreign_project)
    dispatch(database)
    caller = call(world.facilitator)
    assert caller.ok("/events", after=start)["next_after"] == start + 1
    assert caller.ok("/events", after=start + 50)["next_after"] == start + 50


def test_a_page_looks_at_a_bounded_stretch(
    world: World,
    call: Call,
    database: Database,
    session: Session,
    start: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for project in [world.foreign_project] * 4 + [world.project]:
        happen(session, Resource.PROJECT, project=project)
    dispatch(database)
    monkeypatch.setattr(queries, "WINDOW", 3)
    caller = call(world.facilitator)
    first = caller.ok("/events", after=start)
    assert first == {"items": [], "next_after": start + 3, "has_more": True}
    second = caller.ok("/events", after=first["next_after"])
    assert [item["seq"] for item in second["items"]] == [start + 5]
    assert second["has_more"] is False


def test_filters(
    world: World, call: Call, database: Database, session: Session, start: int
) -> None:
    made = happen(session, Resource.MEASURE, Verb.CREATED, project=world.project)
    happen(session, Resource.MEASURE, Verb.UPDATED, project=world.project)
    happen(session, Resource.PROJECT, Verb.UPDATED, project=world.foreign_project)
    dispatch(database)
    admin = call(world.admin)
    assert _types(admin, after=start, type="measure.*") == ["measure.created", "measure.updated"]
    assert _types(admin, after=start, type=["measure.created", "project.*"]) == [
        "measure.created",
        "project.updated",
    ]
    assert _types(admin, after=start, type="measure.created,project.updated") == [
        "measure.created",
        "project.updated",
    ]
    other = world.other_programme.id
    assert _types(admin, after=start, programme_id=str(other)) == ["project.updated"]
    assert _types(admin, after=start, resource_id=str(made.resource_id)) == ["measure.created"]
    assert _types(admin, after=start, type="release.*") == []
    assert _types(admin, after=start, type="*") == _types(admin, after=start)


@pytest.mark.parametrize(
    "params",
    [
        {"type": "measure.creatd"},
        {"type": "nothing.*"},
        {"type": "login_session.created"},  # stays in the house
        {"type": "measure.created\x00"},
        {"after": -1},
        {"after": 2**63},
        {"after": "last"},
        {"limit": 0},
        {"programme_id": "x"},
        {"cursor": "x"},
        {"since": "2018-01-01"},
    ],
)
def test_what_is_not_understood_is_refused(
    world: World, call: Call, params: dict[str, Any]
) -> None:
    response = call(world.facilitator).get("/events", **params)
    assert response.status_code == 422, response.text


def test_a_large_limit_is_clamped(world: World, call: Call) -> None:
    assert call(world.facilitator).get("/events", limit=2**31).status_code == 200


def test_who_hears_of_what(
    world: World, call: Call, database: Database, session: Session, start: int
) -> None:
    places = {
        "own": world.project,
        "other": world.other_project,
        "foreign": world.foreign_project,
    }
    labels = {}
    for label, project in places.items():
        event = happen(session, Resource.PDSA_CYCLE, project=project)
        labels[str(event.resource_id)] = label
    dispatch(database)
    heard = {
        role: [
            labels[item["data"]["id"]] for item in call(user).ok("/events", after=start)["items"]
        ]
        for role, user in world.people.items()
    }
    programme = ["own", "other"]
    assert heard == {
        Role.PLATFORM_ADMIN: ["own", "other", "foreign"],
        Role.PROVIDER_ADMIN: programme,
        Role.FACILITATOR: programme,
        Role.COACH: programme,
        Role.TEAM_LEAD: ["own"],
        Role.MEMBER: ["own"],
        Role.COMMISSIONER: [],
        Role.OBSERVER: programme,
        Role.INTEGRATION: programme,
    }
    assert call(world.stranger).ok("/events", after=start)["items"] == []


def test_each_noun_needs_its_own_permission(
    world: World, call: Call, database: Database, session: Session, start: int
) -> None:
    """Told of a noun is exactly who has the permission for it in that place."""
    for noun in Resource:
        verb = Verb.RECORDED if noun in {Resource.ATTENDANCE, Resource.DATA_POINT} else None
        verb = verb or {
            Resource.MEMBERSHIP: Verb.ENDED,
            Resource.LOGIN_SESSION: Verb.ENDED,
            Resource.PERSONAL_TOKEN: Verb.ENDED,
            Resource.RELEASE: Verb.PUBLISHED,
            Resource.OPERATION: Verb.FINISHED,
        }.get(noun, Verb.UPDATED)
        happen(session, noun, verb, programme=world.programme)
    dispatch(database)
    for role, user in world.people.items():
        caller = call(user)
        nouns = {name.split(".")[0] for name in _types(caller, after=start)}
        held = next(
            place["permissions"]
            for place in caller.ok("/me")["places"]
            if role is Role.PLATFORM_ADMIN
            or (place["programme_id"] == str(world.programme.id) and place["team_id"] is None)
        )
        assert nouns == {noun for noun in READ_BY_NOUN if READ_BY_NOUN[noun] in held}, role


def test_what_stays_in_the_house_is_not_told_even_to_administrators(
    world: World, call: Call, database: Database, session: Session, start: int
) -> None:
    happen(session, Resource.USER)
    happen(session, Resource.PERSONAL_TOKEN, Verb.CREATED)
    happen(session, Resource.ORGANISATION)
    happen(session, Resource.MEMBERSHIP, Verb.CREATED)  # of no programme: for the platform alone
    dispatch(database)
    assert _types(call(world.admin), after=start) == ["membership.created"]
    assert _types(call(world.facilitator), after=start) == []


def test_scopes_and_programme_of_a_token_narrow(
    world: World, call: Call, database: Database, session: Session, start: int
) -> None:
    happen(session, Resource.MEASURE, project=world.project)
    happen(session, Resource.DATA_POINT, Verb.RECORDED, project=world.project)
    happen(session, Resource.PROJECT, project=world.project)
    happen(session, Resource.PROJECT, project=world.foreign_project)
    dispatch(database)
    admin = call(world.admin)
    measures = admin.with_token(scope_of(READ_BY_NOUN[Resource.MEASURE]))
    assert _types(measures, after=start) == ["measure.updated", "data_point.recorded"]
    bound = admin.with_token("project:read", programme_id=world.programme.id)
    assert _types(bound, after=start) == ["project.updated"]
    elsewhere = admin.with_token("webhook:read")
    assert elsewhere.ok("/events", after=start)["items"] == []


def test_it_costs_two_statements_however_much_there_is(
    world: World,
    call: Call,
    database: Database,
    session: Session,
    start: int,
    count_queries: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    happen(session, Resource.PROJECT, project=world.project)
    dispatch(database)
    member = call(world.member)
    counts = []
    for _ in range(2):
        with count_queries() as statements:
            member.ok("/events", after=start)
        counts.append(len(statements))
        for _ in range(20):
            happen(session, Resource.MEASURE, project=world.project)
        dispatch(database)
    assert counts == [3, 3]  # the caller, the newest number, the events


@pytest.mark.parametrize("role", [Role.PLATFORM_ADMIN, Role.FACILITATOR, Role.MEMBER])
def test_the_plan_goes_by_the_index_of_seq(
    role: Role, world: World, database: Database, session: Session, call: Call, start: int
) -> None:
    template = happen(session, Resource.PROJECT, project=world.foreign_project)
    dispatch(database)
    session.refresh(template)
    _multiply(session, template, 3_000)
    caller = call(world.people[role])
    found = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "payload" in statement:
            found.append((statement, parameters))

    connection = session.connection()
    sa.event.listen(connection, "before_cursor_execute", note)
    caller.ok("/events", after=start + 2_000)
    sa.event.remove(connection, "before_cursor_execute", note)
    (asked,) = found
    is_sqlite = connection.dialect.name == "sqlite"
    explain = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "
    if not is_sqlite:
        connection.exec_driver_sql("ANALYZE event")
    lines = connection.exec_driver_sql(explain + asked[0], asked[1]).all()
    plan = "\n".join(str(line) for line in lines)
    assert ("seq>?" if is_sqlite else "uq_event_seq") in plan, plan
    assert "SCAN event" not in plan, plan
    assert "Seq Scan on event" not in plan, plan


def _multiply(session: Session, template: Event, times: int) -> None:
    first = template.seq or 0
    values = template.model_dump(exclude={"id", "seq"})
    rows = [{**values, "id": new_id(), "seq": first + n + 1} for n in range(times)]
    session.connection().execute(sa.insert(Event), rows)


def test_the_shared_read_shows_each_what_the_feed_would(
    world: World, database: Database, session: Session, call: Call, start: int
) -> None:
    """The stream asks once for all who listen; what it tells each is what the feed tells."""
    for project in (world.project, world.other_project, world.foreign_project):
        for noun in (Resource.PROJECT, Resource.MEASURE, Resource.PHASE):
            happen(session, noun, project=project)
    happen(session, Resource.SESSION, programme=world.programme)
    happen(session, Resource.TEAM, programme=world.programme, team_id=world.team.id)
    dispatch(database)
    sights = [sight_of(session, user) for user in world.people.values()]
    with database.reading() as reading:
        shared = queries.list_shared(reading, sights=sights, after=start, limit=100)
        for number, sight in enumerate(sights):
            own = queries.list_events(
                reading, sight=sight, wanted=EventFilter(), after=start, limit=100
            )
            told = [row.seq for row in shared.rows if getattr(row, f"sight_{number}")]
            assert told == [row.seq for row in own.rows]
    assert len(shared.rows) == 11
