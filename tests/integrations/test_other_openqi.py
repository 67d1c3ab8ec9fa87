"""Messages of another OpenQI ask for one pull of the project; what was ours before is a loop."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from app.events.models import Event
from app.integrations.actions import finish_pull
from app.integrations.kinds import PULL
from app.integrations.models import InboundEvent, InboundOutcome, Integration
from app.integrations.queries import find_acting, source_of
from app.integrations.secrets import open_token
from app.jobs.models import Job
from app.kit.clock import utc_now
from app.kit.db import Database
from app.kit.ids import new_id
from app.kit.outbound import Policy
from app.main import OpenQI
from tests.calling import Caller
from tests.integrations.sending import Platform, body, connect, project
from tests.jobs.draining import waiting
from tests.world import World

SOURCE = uuid.UUID("0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d05")


@pytest.fixture
def other(app: OpenQI, call: Callable[..., Caller], facilitator: Caller, world: World) -> Platform:
    policy = Policy(hosts=frozenset({"other.example"}))
    app.state.parts = replace(app.state.parts, policy=policy)
    over = {"platform": "openqi", "system": "barnet", "base_url": "https://other.example"}
    token = "qipat_" + "a" * 43
    return connect(facilitator, call(None), world.programme.id, mapping=None, token=token, **over)


def message(event_type: str, **data: Any) -> dict[str, Any]:
    return {"type": event_type, "timestamp": "2018-01-08T09:30:00Z", "data": data}


@pytest.mark.parametrize(
    "sent",
    [
        message("release.published", id=str(new_id()), project_id=str(SOURCE)),
        message("project.updated", id=str(SOURCE)),
        message("measure.created", id=str(new_id()), project_id=str(SOURCE)),
        message("data_point.recorded", id=str(new_id()), project_id=SOURCE.hex),
        message("phase.approved", id=str(new_id()), project_id=str(SOURCE)),
        message("annotation.created", id=str(new_id()), project_id=str(SOURCE)),
        message("pdsa_cycle.state_changed", id=str(new_id()), project_id=str(SOURCE)),
    ],
)
def test_a_change_there_asks_for_a_pull(
    other: Platform, session: Session, database: Database, sent: dict[str, Any], world: World
) -> None:
    assert other.outcome(sent) == ("pending", None)
    assert waiting(database, PULL.name) == 1
    job = session.exec(select(Job).where(Job.kind == PULL.name)).one()
    integration = uuid.UUID(other.integration["id"]).hex
    assert job.args == {"integration_id": integration, "project_id": SOURCE.hex}
    assert (job.queue, job.lane) == ("pull", f"integration:{integration}")
    assert job.key == f"pull:{integration}:{SOURCE.hex}"
    assert job.programme_id == str(world.programme.id)


@pytest.mark.parametrize("verb", ["archived", "restored", "updated"])
def test_a_change_of_a_whole_programme_there_asks_for_everything(
    other: Platform, session: Session, database: Database, facilitator: Caller, verb: str
) -> None:
    """An archived programme hides all its projects, and tells of none of them."""
    sent = other.send(message(f"programme.{verb}", id=str(new_id())))
    assert sent.json()["outcome"] == "pending"
    job = session.exec(select(Job).where(Job.kind == PULL.name)).one()
    assert "project_id" not in job.args
    waits = other.send(message("project.updated", id=str(SOURCE))).json()["id"]
    integration_id, now = uuid.UUID(other.integration["id"]), utc_now()
    finish_pull(
        session,
        integration_id=integration_id,
        project_id=None,
        since=now,
        outcome=InboundOutcome.APPLIED,
        now=now,
    )
    session.commit()
    assert facilitator.ok(f"/inbound-events/{sent.json()['id']}")["outcome"] == "applied"
    assert facilitator.ok(f"/inbound-events/{waits}")["outcome"] == "pending"


def test_a_thousand_changes_are_one_pull(other: Platform, database: Database) -> None:
    for _ in range(5):
        other.send(message("data_point.recorded", project_id=str(SOURCE)))
    other.send(message("project.updated", id=str(new_id())))
    assert waiting(database, PULL.name) == 2


def test_a_repeat_of_what_waits_asks_again(
    other: Platform, session: Session, database: Database
) -> None:
    """The fetch may have been lost, as while the connection was paused."""
    sent = message("project.updated", id=str(SOURCE))
    other.send(sent, message_id="msg_1")
    session.delete(session.exec(select(Job).where(Job.kind == PULL.name)).one())
    session.commit()
    for _ in range(2):
        again = other.send(sent, message_id="msg_1")
        assert (again.status_code, again.json()["outcome"]) == (200, "pending")
        assert waiting(database, PULL.name) == 1


def test_after_a_pause_what_was_missed_is_fetched(
    other: Platform, facilitator: Caller, session: Session, database: Database
) -> None:
    """What waited before it, and all that is shared: messages of the pause may not come again."""
    other.send(message("project.updated", id=str(SOURCE)))
    facilitator.post(f"{other.path}/transitions", {"to": "paused"})
    session.delete(session.exec(select(Job).where(Job.kind == PULL.name)).one())
    session.commit()
    assert waiting(database, PULL.name) == 0
    assert facilitator.post(f"{other.path}/transitions", {"to": "enabled"}).status_code == 200
    jobs = session.exec(select(Job).where(Job.kind == PULL.name)).all()
    assert {job.args.get("project_id") for job in jobs} == {None, SOURCE.hex}


def test_a_platform_that_is_not_called_has_nothing_to_fetch_after_a_pause(
    platform: Platform, facilitator: Caller, database: Database
) -> None:
    for state in ("paused", "enabled"):
        facilitator.post(f"{platform.path}/transitions", {"to": state})
    assert waiting(database, PULL.name) == 0


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (message("team.updated", id=str(SOURCE)), ("ignored", "no_rule")),
        (message("programme.created", id=str(SOURCE)), ("ignored", "no_rule")),
        (message("ping"), ("ignored", "no_rule")),
        ({}, ("ignored", "no_rule")),
        (message("measure.created", id=str(SOURCE)), ("refused", "project_id_missing")),
        (message("measure.created", project_id=5), ("refused", "project_id_missing")),
        (message("measure.created", project_id="x"), ("refused", "project_id_missing")),
        ({"type": "project.updated", "data": []}, ("refused", "project_id_missing")),
    ],
)
def test_what_asks_for_none(
    other: Platform, database: Database, sent: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert other.outcome(sent) == expected
    assert waiting(database, PULL.name) == 0


def test_what_comes_back_to_us_is_ignored(
    other: Platform, platform: Platform, session: Session, app: OpenQI, database: Database
) -> None:
    ours = app.state.settings.public_url
    for sender in (other, platform):
        for origin in (ours, ours + "/"):
            sent = message("project.updated", id=str(SOURCE), origin=origin)
            assert sender.outcome(sent) == ("ignored", "own_event")
    event = session.exec(select(Event)).first()
    assert event is not None
    sent = message("project.updated", id=str(SOURCE))
    bounced = f"evt_{event.id.hex}"
    assert other.outcome(sent, message_id=bounced) == ("ignored", "own_event")
    assert waiting(database, PULL.name) == 0
    third = message("project.updated", id=str(SOURCE), origin="https://third.example")
    assert other.outcome(third, message_id=f"evt_{new_id().hex}") == ("pending", None)


def test_a_finished_pull_settles_the_messages_that_waited_for_it(
    other: Platform, session: Session, facilitator: Caller
) -> None:
    earlier, later, elsewhere = (
        other.send(message("project.updated", id=str(each))).json()["id"]
        for each in (SOURCE, SOURCE, new_id())
    )
    now = utc_now()
    row = session.get_one(InboundEvent, uuid.UUID(later))
    row.received_at = now + timedelta(seconds=5)
    session.commit()
    ours = new_id()
    finish_pull(
        session,
        integration_id=uuid.UUID(other.integration["id"]),
        project_id=SOURCE,
        since=now,
        outcome=InboundOutcome.APPLIED,
        resource_id=ours,
        now=now,
    )
    session.commit()
    line = facilitator.ok(f"/inbound-events/{earlier}")
    assert (line["outcome"], line["resource_id"]) == ("applied", str(ours))
    assert line["finished_at"] is not None
    for waits in (later, elsewhere):
        assert facilitator.ok(f"/inbound-events/{waits}")["outcome"] == "pending"


def test_for_whom_a_pull_acts(
    other: Platform, platform: Platform, session: Session, app: OpenQI, world: World
) -> None:
    row = session.get_one(Integration, uuid.UUID(other.integration["id"]))
    actor = find_acting(session, integration=row, now=utc_now())
    assert actor is not None
    assert actor.user_id == world.facilitator.id
    assert actor.bound_programme_id == world.programme.id
    assert actor.origin.source == source_of(row) == "https://other.example"
    assert row.token is not None
    token = open_token(app.state.parts.sealer, row.id, row.token)
    assert token == "qipat_" + "a" * 43
    generic = session.get_one(Integration, uuid.UUID(platform.integration["id"]))
    assert source_of(generic) == "lifeqi"
    assert generic.token is None


def test_a_trial_asks_for_no_pull(other: Platform, facilitator: Caller, database: Database) -> None:
    sent = {"message": message("project.updated", id=str(SOURCE))}
    tried = facilitator.post(f"{other.path}/mapping-tests", sent).json()
    assert (tried["outcome"], tried["rule"], tried["values"]) == ("pending", None, [])
    assert waiting(database, PULL.name) == 0


def test_a_project_of_ours_says_where_an_event_belongs(
    platform: Platform, session: Session, facilitator: Caller, world: World
) -> None:
    """What another OpenQI needs to know which project to pull."""
    assert body(world.programme.id)["system"] == "lifeqi"
    platform.send(project())
    created = session.exec(select(Event).where(Event.type == "project.created")).one()
    assert f'"project_id":"{created.resource_id}"' in created.payload
