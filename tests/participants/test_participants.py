"""Enrolling, reading and changing participants over HTTP."""

from collections.abc import Callable
from datetime import date

import pytest
from sqlmodel import Session, select

from app.events.models import Event
from app.participants.models import Appointment, Person
from tests.builders import make_organisation, make_participant, make_programme
from tests.calling import Caller
from tests.participants.enrolling import enrol, participant_body
from tests.world import World

Call = Callable[..., Caller]


def _types(session: Session, resource_id: str) -> list[str]:
    statement = select(Event).order_by(Event.id)  # type: ignore[arg-type]
    return [row.type for row in session.exec(statement) if str(row.resource_id) == resource_id]


def test_enrol_get_and_event(call: Call, world: World, session: Session) -> None:
    facilitator = call(world.facilitator)
    practice = make_organisation(session, name="Elmtree Surgery", area="North")
    body = participant_body(
        session, organisation_id=str(practice.id), email="Mixed.CASE@Example.org"
    )
    response = facilitator.post(f"/programmes/{world.programme.id}/participants", body)
    assert response.status_code == 201, response.text
    made = response.json()
    assert response.headers["Location"] == f"/api/v1/participants/{made['id']}"
    assert response.headers["ETag"] == '"1"'
    assert made["email"] == "mixed.case@example.org"
    assert (made["clinical"], made["entry"], made["status"]) == (True, "launch", "enrolled")
    assert made["organisation_name"] == "Elmtree Surgery"
    assert made["contact_visible"] is True
    assert facilitator.ok(f"/participants/{made['id']}") == made
    event = session.exec(select(Event).where(Event.type == "participant.created")).one()
    assert "example.org" not in event.payload
    assert str(event.resource_id) == made["id"]


@pytest.mark.parametrize(
    ("role", "clinical"),
    [("practice_nurse", True), ("practice_manager", False), ("patient_partner", None)],
)
def test_clinical_follows_from_the_role(
    call: Call, world: World, session: Session, role: str, clinical: bool | None
) -> None:
    made = enrol(call(world.facilitator), session, world.programme, role=role)
    assert made["clinical"] is clinical


def test_late_means_after_the_first_session(call: Call, world: World, session: Session) -> None:
    facilitator = call(world.facilitator)
    made = enrol(facilitator, session, world.programme, joined_on="2018-01-10")
    assert made["entry"] == "launch"
    world.programme.first_session_on = date(2018, 1, 9)
    session.commit()
    assert facilitator.ok(f"/participants/{made['id']}")["entry"] == "late"
    world.programme.first_session_on = date(2018, 1, 10)
    session.commit()
    assert facilitator.ok(f"/participants/{made['id']}")["entry"] == "launch"


def test_a_known_person_is_reused_and_not_overwritten(
    call: Call, world: World, session: Session
) -> None:
    admin = call(world.admin)
    first = enrol(admin, session, world.programme, email="known@example.org")
    second = enrol(
        admin, session, world.other_programme, email="KNOWN@example.org", given_name="Other"
    )
    assert second["person_id"] == first["person_id"]
    assert second["given_name"] == first["given_name"]
    body = participant_body(session, email="Known@example.org")
    twice = admin.post(f"/programmes/{world.programme.id}/participants", body)
    assert twice.status_code == 409
    assert twice.json()["code"] == "already_exists"
    assert twice.json()["errors"][0]["pointer"] == "#/email"


def test_capacity(call: Call, session: Session, world: World) -> None:
    admin = call(world.admin)
    programme = make_programme(session, capacity=1)
    first = enrol(admin, session, programme)
    path = f"/programmes/{programme.id}/participants"
    full = admin.post(path, participant_body(session))
    assert (full.status_code, full.json()["code"]) == (409, "capacity_reached")
    assert admin.delete(f"/participants/{first['id']}").status_code == 204
    second = admin.create(path, participant_body(session))
    restore = admin.post(f"/participants/{first['id']}/restore")
    assert (restore.status_code, restore.json()["code"]) == (409, "capacity_reached")
    left = {"to": "transferred", "left_on": "2018-01-31"}
    assert admin.post(f"/participants/{second['id']}/transitions", left).status_code == 200
    assert admin.post(f"/participants/{first['id']}/restore").status_code == 200


@pytest.mark.parametrize("joined_on", ["2017-11-30", "2018-10-01"])
def test_joined_within_the_programme(
    call: Call, world: World, session: Session, joined_on: str
) -> None:
    facilitator = call(world.facilitator)
    path = f"/programmes/{world.programme.id}/participants"
    refused = facilitator.post(path, participant_body(session, joined_on=joined_on))
    assert refused.status_code == 422
    assert refused.json()["errors"][0] == {
        "code": "outside_programme",
        "detail": "The programme runs from 2017-12-01 to 2018-09-30.",
        "pointer": "#/joined_on",
    }
    made = enrol(facilitator, session, world.programme)
    changed = facilitator.patch(f"/participants/{made['id']}", {"joined_on": joined_on})
    assert changed.json()["errors"][0]["pointer"] == "#/joined_on"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("given_name", "A\x00B"),
        ("email", "not an address"),
        ("role", "wizard"),
        ("joined_on", 20171207),
        ("professional_id", "x" * 65),
        ("unknown", 1),
    ],
)
def test_bad_fields_are_422(
    call: Call, world: World, session: Session, field: str, value: object
) -> None:
    path = f"/programmes/{world.programme.id}/participants"
    body = participant_body(session) | {field: value}
    refused = call(world.facilitator).post(path, body)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == f"#/{field}"


def test_an_unknown_organisation(call: Call, world: World, session: Session) -> None:
    nowhere = str(world.programme.id)
    path = f"/programmes/{world.programme.id}/participants"
    refused = call(world.facilitator).post(path, participant_body(session, organisation_id=nowhere))
    assert (refused.status_code, refused.json()["code"]) == (422, "reference_not_found")
    assert refused.json()["errors"][0]["pointer"] == "#/organisation_id"


def test_patch_raises_the_revision_whichever_table_changed(
    call: Call, world: World, session: Session
) -> None:
    facilitator = call(world.facilitator)
    made = enrol(facilitator, session, world.programme)
    path = f"/participants/{made['id']}"
    assert facilitator("PATCH", path, json={"given_name": "Ida"}).status_code == 428
    for revision, patch in enumerate(
        [{"given_name": "Ida"}, {"role": "practice_nurse"}, {"joined_on": "2017-12-08"}], start=1
    ):
        changed = facilitator.patch(path, patch, f'"{revision}"')
        assert changed.status_code == 200, changed.text
        assert changed.headers["ETag"] == f'"{revision + 1}"'
        assert changed.json().items() >= patch.items()
        assert facilitator.ok(path) == changed.json()
    assert facilitator.patch(path, {"given_name": "Eva"}, '"1"').status_code == 412
    unchanged = facilitator.patch(path, {"given_name": "Ida"})
    assert unchanged.headers["ETag"] == '"4"'
    assert _types(session, made["id"]) == ["participant.created", *["participant.updated"] * 3]


def test_changes_of_names_are_redacted(call: Call, world: World, session: Session) -> None:
    facilitator = call(world.facilitator)
    made = enrol(facilitator, session, world.programme)
    facilitator.patch(f"/participants/{made['id']}", {"given_name": "Ida", "role": "hca"})
    event = session.exec(select(Event).where(Event.type == "participant.updated")).one()
    assert event.changes["given_name"] == ["[redacted]", "[redacted]"]
    assert event.changes["role"] == ["gp", "hca"]
    assert "Ida" not in event.payload


def test_another_organisation_opens_a_new_appointment(
    call: Call, world: World, session: Session
) -> None:
    facilitator = call(world.facilitator)
    made = enrol(facilitator, session, world.programme)
    practice = make_organisation(session, name="Birch Lane Practice")
    changed = facilitator.patch(
        f"/participants/{made['id']}", {"organisation_id": str(practice.id)}
    )
    assert changed.json()["organisation_name"] == "Birch Lane Practice"
    person = session.exec(select(Person).where(Person.email == made["email"])).one()
    statement = select(Appointment).where(Appointment.person_id == person.id)
    old, new = sorted(session.exec(statement), key=lambda row: row.id)
    assert old.ends_on is not None
    assert new.starts_on == old.ends_on
    assert (str(old.organisation_id), new.organisation_id) == (
        made["organisation_id"],
        practice.id,
    )


def test_a_taken_email(call: Call, world: World, session: Session) -> None:
    facilitator = call(world.facilitator)
    first = enrol(facilitator, session, world.programme)
    second = enrol(facilitator, session, world.programme)
    taken = facilitator.patch(f"/participants/{second['id']}", {"email": first["email"].upper()})
    assert (taken.status_code, taken.json()["code"]) == (409, "already_exists")
    assert taken.json()["errors"][0]["pointer"] == "#/email"


def test_a_person_in_two_programmes(call: Call, world: World, session: Session) -> None:
    admin, facilitator = call(world.admin), call(world.facilitator)
    here = enrol(admin, session, world.programme, email="both@example.org")
    there = enrol(admin, session, world.other_programme, email="both@example.org")
    path = f"/participants/{here['id']}"
    refused = facilitator.patch(path, {"given_name": "Ida"})
    assert (refused.status_code, refused.json()["code"]) == (403, "shared_person")
    assert admin.ok(path)["given_name"] == here["given_name"]
    assert facilitator.patch(path, {"joined_on": "2017-12-09"}).status_code == 200
    assert admin.patch(path, {"given_name": "Ida"}).status_code == 200
    other = admin.ok(f"/participants/{there['id']}")
    assert (other["given_name"], other["revision"]) == ("Ida", there["revision"] + 1)
    assert _types(session, there["id"])[-1] == "participant.updated"


def test_archive_and_restore(call: Call, world: World, session: Session) -> None:
    facilitator = call(world.facilitator)
    made = enrol(facilitator, session, world.programme)
    path = f"/participants/{made['id']}"
    assert facilitator.delete(path).status_code == 204
    assert facilitator.delete(path).status_code == 204
    assert facilitator.ok(path)["archived_at"] is not None
    assert facilitator.patch(path, {"role": "hca"}).json()["code"] == "archived"
    step = facilitator.post(f"{path}/transitions", {"to": "active"})
    assert step.json()["code"] == "archived"
    again = enrol(facilitator, session, world.programme, email=made["email"])
    assert facilitator.post(f"{path}/restore").status_code == 409
    facilitator.delete(f"/participants/{again['id']}")
    assert facilitator.post(f"{path}/restore").json()["archived_at"] is None
    assert facilitator.post(f"{path}/restore").status_code == 200
    assert _types(session, made["id"]) == [
        "participant.created",
        "participant.archived",
        "participant.restored",
    ]


def test_nobody_is_restored_into_an_archived_team(
    call: Call, world: World, session: Session
) -> None:
    facilitator = call(world.facilitator)
    enrolment = make_participant(session, programme=world.programme, team=world.other_team)
    path = f"/participants/{enrolment.id}"
    facilitator.delete(path)
    assert facilitator.delete(f"/teams/{world.other_team.id}").status_code == 204
    refused = facilitator.post(f"{path}/restore")
    assert (refused.status_code, refused.json()["code"]) == (409, "archived")
    facilitator.post(f"/teams/{world.other_team.id}/restore")
    assert facilitator.post(f"{path}/restore").status_code == 200


def test_no_cache_keeps_what_is_said_of_people(call: Call, world: World, session: Session) -> None:
    made = enrol(call(world.facilitator), session, world.programme)
    facilitator = call(world.facilitator)
    for path in (f"/participants/{made['id']}", f"/programmes/{world.programme.id}/participants"):
        assert facilitator.get(path).headers["Cache-Control"] == "no-store"
    programme = facilitator.get(f"/programmes/{world.programme.id}")
    assert programme.headers["Cache-Control"] == "private, no-cache"


def test_an_archived_programme_is_frozen(call: Call, world: World, session: Session) -> None:
    admin = call(world.admin)
    made = enrol(admin, session, world.programme)
    admin.delete(f"/programmes/{world.programme.id}")
    path = f"/participants/{made['id']}"
    answers = [
        admin.post(f"/programmes/{world.programme.id}/participants", participant_body(session)),
        admin.patch(path, {"role": "hca"}),
        admin.post(f"{path}/transitions", {"to": "active"}),
        admin.delete(path),
        admin.post(f"{path}/restore"),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (409, "archived")
    ] * 5


def test_builders_participants_read_as_well(call: Call, world: World, session: Session) -> None:
    row = make_participant(session, programme=world.programme, team=world.team)
    read = call(world.facilitator).ok(f"/participants/{row.id}")
    assert read["team_id"] == str(world.team.id)
