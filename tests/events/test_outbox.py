"""An event: its frozen payload, what of its changes is kept, and the catalogue of types."""

import json
import uuid
from datetime import UTC, date, datetime

import pytest
from sqlmodel import Session, select

from app.events.catalogue import EVENT_TYPES, Resource, Verb, address_of, event_type
from app.events.models import Event
from app.events.outbox import REDACTION, Origin, record
from app.identity.models import PersonalToken, User
from app.participants.models import EnrolmentStatus, Person

NOW = datetime(2018, 1, 8, 9, 30, tzinfo=UTC)
ROW, PROGRAMME, ACTOR = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()


def _recorded(session: Session, **over: object) -> Event:
    values: dict[str, object] = {
        "noun": Resource.PROJECT,
        "verb": Verb.UPDATED,
        "resource_id": ROW,
        "revision": 2,
        "programme_id": PROGRAMME,
        "origin": Origin(ACTOR, None, "request-1"),
        "now": NOW,
    }
    record(session, **(values | over))  # type: ignore[arg-type]
    session.commit()
    session.expire_all()
    return session.exec(select(Event)).one()


def test_the_payload_is_thin_and_frozen(session: Session) -> None:
    event = _recorded(session, data={"state": EnrolmentStatus.ACTIVE, "on": date(2018, 1, 8)})
    assert json.loads(event.payload) == {
        "id": f"evt_{event.id.hex}",
        "type": "project.updated",
        "timestamp": "2018-01-08T09:30:00Z",
        "data": {
            "id": str(ROW),
            "url": f"/api/v1/projects/{ROW}",
            "programme_id": str(PROGRAMME),
            "revision": 2,
            "state": "active",
            "on": "2018-01-08",
        },
    }
    assert ": " not in event.payload
    assert (event.actor_id, event.token_id, event.request_id) == (ACTOR, None, "request-1")
    assert (event.seq, event.created_at) == (None, NOW)


def test_changes_stay_in_the_house_and_are_plain(session: Session) -> None:
    event = _recorded(
        session,
        changes={
            "title": ("Access", "Same-day access"),
            "team_id": (None, ROW),
            "starts_on": (date(2018, 1, 8), None),
            "aim": (None, {"target": 0.5, "by": NOW}),
            "areas": (["North"], ("North", "West")),
        },
    )
    assert event.changes == {
        "title": ["Access", "Same-day access"],
        "team_id": [None, str(ROW)],
        "starts_on": ["2018-01-08", None],
        "aim": [None, {"target": 0.5, "by": "2018-01-08T09:30:00+00:00"}],
        "areas": [["North"], ["North", "West"]],
    }
    assert "Same-day" not in event.payload


SECRETS = {"password_hash", "secret_hash"}
PERSONAL = {"given_name", "family_name", "email", "professional_id", "display_name"}


@pytest.mark.parametrize("field", sorted(SECRETS | PERSONAL))
def test_secrets_and_names_are_redacted(session: Session, field: str) -> None:
    event = _recorded(session, changes={field: ("old value", "new value")})
    assert event.changes == {field: [REDACTION, REDACTION]}
    assert "value" not in event.model_dump_json()


def test_every_column_that_sounds_secret_or_personal_is_redacted() -> None:
    columns = {name for table in (User, PersonalToken, Person) for name in table.model_fields}
    suspicious = {
        name
        for name in columns
        if any(
            part in name for part in ("hash", "secret", "password", "email", "name", "professional")
        )
    }
    assert suspicious - {"name"} == SECRETS | PERSONAL  # a token's name is no person's


def test_types_are_two_words_with_one_full_stop() -> None:
    assert len(EVENT_TYPES) > 40
    for name in EVENT_TYPES:
        noun, verb = name.split(".")
        assert (noun, verb) == (Resource(noun), Verb(verb))


def test_what_the_catalogue_does_not_list_cannot_be_recorded(session: Session) -> None:
    assert event_type(Resource.MEMBERSHIP, Verb.ENDED) == "membership.ended"
    with pytest.raises(ValueError, match=r"attendance\.archived"):
        event_type(Resource.ATTENDANCE, Verb.ARCHIVED)
    with pytest.raises(ValueError, match=r"user\.archived"):
        _recorded(session, noun=Resource.USER, verb=Verb.ARCHIVED)
    assert session.exec(select(Event)).all() == []


@pytest.mark.parametrize(
    ("noun", "path"),
    [
        (Resource.PDSA_CYCLE, "pdsa-cycles"),
        (Resource.MEMBERSHIP, "memberships"),
        (Resource.USER, "users"),
        (Resource.PERSONAL_TOKEN, "auth/tokens"),
        (Resource.LOGIN_SESSION, "auth/sessions"),
    ],
)
def test_addresses(noun: Resource, path: str) -> None:
    assert address_of(noun, ROW) == f"/api/v1/{path}/{ROW}"
