"""What is documented of events is what is sent: every type has its message, every message holds."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import Connection
from sqlmodel import Session, col, select

from app.access.permissions import READ_BY_NOUN
from app.api import TAGS
from app.events.catalogue import EVENT_TYPES
from app.events.models import Event
from app.kit.db import Database
from app.main import OpenQI
from app.references.resources import ResourceType
from app.webhooks.messages.envelopes import MESSAGES, Message, data_of, example_of
from tests.builders import make_measure, make_participant
from tests.calling import Caller
from tests.contract.messages import breaches
from tests.contract.operations import documented
from tests.contract.test_role_matrix import _ids, _request
from tests.integrations.sending import body as connection
from tests.journeys.test_barnet import test_the_story as play_barnet
from tests.sharing.ready import AIM, make_filled
from tests.webhooks.feed.happening import dispatch
from tests.world import World

# Workers make these, so the tests of detections hold them to the contract.
ELSEWHERE = ("measure.signal_",)
NAMES = sorted(MESSAGES)


def test_every_type_that_leaves_the_house_is_documented(bare_app: OpenQI) -> None:
    nouns = {noun.value for noun in READ_BY_NOUN}
    leaving = {name for name in EVENT_TYPES if name.split(".")[0] in nouns}
    assert set(MESSAGES) == leaving
    assert set(bare_app.openapi()["webhooks"]) == leaving


def test_each_webhook_says_what_a_receiver_needs(bare_app: OpenQI) -> None:
    document = bare_app.openapi()
    schemas = document["components"]["schemas"]
    ids = [item["post"]["operationId"] for item in document["webhooks"].values()]
    assert len(set(ids)) == len(ids)
    paths = {operation.get("operationId") for item in document["paths"].values()
             for operation in item.values() if isinstance(operation, dict)}  # fmt: skip
    assert not set(ids) & paths
    for name, item in document["webhooks"].items():
        operation = item["post"]
        assert operation["security"] == []
        assert set(operation["tags"]) <= {tag for tag, _ in TAGS}
        headers = [parameter["name"] for parameter in operation["parameters"]]
        assert headers == ["webhook-id", "webhook-timestamp", "webhook-signature"]
        assert {"2XX", "410"} <= set(operation["responses"])
        media = operation["requestBody"]["content"]["application/json"]
        schema = schemas[media["schema"]["$ref"].rsplit("/", 1)[-1]]
        assert schema["properties"]["type"]["const"] == name
        assert schema["additionalProperties"] is False
        assert schema["description"]


@pytest.mark.parametrize("name", NAMES)
def test_the_example_is_such_a_message(name: str) -> None:
    made = MESSAGES[name].model_validate(example_of(name))
    assert json.loads(made.model_dump_json(by_alias=True)) == example_of(name)


@pytest.mark.parametrize("name", NAMES)
def test_a_message_holds_nothing_that_is_not_documented(name: str) -> None:
    example = example_of(name)
    for more in ({**example, "email": "x"}, {**example, "data": example["data"] | {"email": "x"}}):
        with pytest.raises(ValidationError):
            MESSAGES[name].model_validate(more)
    with pytest.raises(ValidationError):
        MESSAGES[name].model_validate({**example, "type": "nothing.created"})


def test_no_message_has_a_field_for_the_name_of_a_person() -> None:
    for name in NAMES:
        text = json.dumps(MESSAGES[name].model_json_schema())
        assert not {"given_name", "family_name", "email", "display_name"} & set(text.split('"'))
    assert Message.model_fields.keys() == {"id", "type", "timestamp", "seq", "data"}
    assert data_of("session.created") is data_of("team.created")


def _events(database: Database) -> list[Event]:
    with database.reading() as session:
        return list(session.exec(select(Event).order_by(col(Event.created_at))))


def test_each_type_that_the_api_makes_is_what_is_documented(
    app: OpenQI,
    call: Callable[..., Caller],
    world: World,
    database: Database,
    session: Session,
    connection: Connection,
) -> None:
    """The Barnet programme is played, every write is sent with its example, the rest by hand."""
    admin, ids = call(world.admin), _ids(session, world)["own"]
    play_barnet(app, admin)
    told = _held(database)
    for operation, document in documented(app):
        if operation.method == "GET" or operation.name in {"log_out", "change_password"}:
            continue
        savepoint = connection.begin_nested()
        path = operation.template.format_map(ids)
        if path.endswith("/restore"):
            admin.delete(path.removesuffix("/restore"))
        admin(operation.method, path, **_request(document))
        told |= _held(database)
        savepoint.rollback()
    _by_hand(admin, session, world)
    _named(admin, ids)
    told |= _held(database)
    expected = {name for name in MESSAGES if not name.startswith(ELSEWHERE)}
    assert sorted(expected - told) == []


def _held(database: Database) -> set[str]:
    """The types that were told; each holds what is documented, its place in the feed included."""
    dispatch(database)
    events = _events(database)
    assert breaches(events) == []
    assert all(json.loads(event.payload)["seq"] == event.seq for event in events)
    return {event.type for event in events}


def _ok(response: Any) -> dict[str, Any]:
    assert response.is_success, response.text
    body: dict[str, Any] = response.json() if response.content else {}
    return body


def _named(admin: Caller, ids: dict[str, Any]) -> None:
    items = [
        {
            "system": "emis",
            "resource_type": each.value,
            "resource_id": str(ids[f"{each.value.removeprefix('pdsa_')}_id"]),
            "external_id": "7",
        }
        for each in ResourceType
    ]
    path = f"/programmes/{ids['programme_id']}/external-references/bulk"
    assert _ok(admin.post(path, {"items": items}))["created"] == len(items)


def _by_hand(admin: Caller, session: Session, world: World) -> None:
    programme = f"/programmes/{world.programme.id}"
    project = f"/projects/{world.project.id}"
    _ok(admin.post(f"{programme}/transitions", {"to": "recruiting"}))
    _ok(admin.post(f"{project}/transitions", {"to": "chartered", "override_reason": "Test"}))
    held = admin.create(f"{programme}/sessions", {"title": "Made"})
    _ok(admin.post(f"/sessions/{held['id']}/transitions", {"to": "cancelled", "reason": "Snow"}))
    participant = make_participant(session, programme=world.programme)
    body = {"participant_id": str(participant.id), "starts_on": "2017-12-07"}
    member = admin.create(f"/teams/{world.team.id}/members", body)
    _ok(admin.patch(f"/team-members/{member['id']}", {"is_lead": True}))
    _ok(admin.post(f"/team-members/{member['id']}/end", {"ends_on": "2018-03-01"}))
    left = {"to": "withdrawn", "left_on": "2018-03-01", "withdrawal_reason": "Moved"}
    _ok(admin.post(f"/participants/{participant.id}/transitions", left))
    for made in (held, admin.create(f"{programme}/teams", {"name": "Made"})):
        path = f"/{'sessions' if made is held else 'teams'}/{made['id']}"
        assert admin.delete(path).status_code == 204
        _ok(admin.post(f"{path}/restore"))
    measure = f"/measures/{make_measure(session, project=world.project).id}"
    point = {"period_start": "2018-01-01", "numerator": 8, "denominator": 20}
    admin.create(f"{measure}/data-points", point)
    excluded = {"periods": ["2018-01-01"], "reason": "A power cut"}
    _ok(admin.post(f"{measure}/exclusions", excluded))
    _ok(admin.post(f"{measure}/inclusions", {"periods": ["2018-01-01"]}))
    phase = {"starts_on": "2018-01-01", "reason": "change_adopted", "status": "proposed"}
    proposed = admin.create(f"{measure}/phases", phase)
    _ok(admin.post(f"/phases/{proposed['id']}/transitions", {"to": "approved"}))
    assert world.stranger is not None
    role = {"email": world.stranger.email, "role": "observer", "starts_on": "2017-12-07"}
    of_programme = {"programme_id": str(world.programme.id)}
    given = admin.create("/memberships", role | of_programme)
    _ok(admin.post(f"/memberships/{given['id']}/end", {}))
    address = {"url": "https://platform.example.org/hooks"}
    admin.create("/webhook-endpoints", address | of_programme)
    admin.create("/integrations", connection(world.programme.id))
    _ok(admin.patch(project, {"aim": AIM}))
    make_filled(session, world.project)
    release = {"audience": "public", "license": "CC-BY-4.0"}
    released = admin.create(f"{project}/releases", release)
    _ok(admin.post(f"/releases/{released['id']}/withdraw", {"reason": "No longer"}))
