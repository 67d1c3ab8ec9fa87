"""A sender may repeat itself: one id is one message, applied once."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlmodel import Session, select
from structlog.testing import capture_logs

from app.integrations.inbound import actions
from app.integrations.inbound.applying import Context
from app.integrations.models import InboundEvent, InboundOutcome
from app.kit.errors import Unavailable
from app.kit.ids import new_id
from app.references.models import ExternalReference
from tests.calling import Caller
from tests.contract.conftest import Live, live, live_url
from tests.integrations.sending import MAPPING, Platform, connect, measure, points, project
from tests.world import World

__all__ = ["live", "live_url"]
TWINS = 8


def test_a_repeat_gets_the_recorded_outcome(
    platform: Platform, facilitator: Caller, session: Session
) -> None:
    first = platform.send(project(), message_id="msg_1")
    facilitator_changes = {"title": "Changed by hand"}
    project_id = facilitator.ok("/projects", external_ref="lifeqi:7")["items"][0]["id"]
    facilitator.patch(f"/projects/{project_id}", facilitator_changes)
    again = platform.send(project(), message_id="msg_1")
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json() == again.json()
    assert facilitator.ok(f"/projects/{project_id}")["title"] == "Changed by hand"
    assert len(session.exec(select(InboundEvent)).all()) == 1


def test_the_same_id_with_another_body(platform: Platform, facilitator: Caller) -> None:
    platform.send(project(), message_id="msg_1")
    response = platform.send(project(8), message_id="msg_1")
    assert response.status_code == 409
    assert response.json()["code"] == "message_id_reused"
    assert facilitator.ok("/projects", external_ref="lifeqi:8")["items"] == []


def test_the_id_belongs_to_its_connection(
    platform: Platform, facilitator: Caller, call: Callable[..., Caller], world: World
) -> None:
    other = connect(facilitator, call(None), world.programme.id, system="other")
    assert platform.send(project(), message_id="msg_1").status_code == 202
    assert other.send(project(), message_id="msg_1").status_code == 202


def test_what_was_refused_is_tried_anew(platform: Platform, facilitator: Caller) -> None:
    """Data came before their measure; the sender repeats them when it is there."""
    message = points({"date": "2018-01-01", "n": 1, "d": 2})
    early = platform.send(message, message_id="msg_1")
    assert early.status_code == 202
    assert early.json()["outcome"] == "refused"
    assert early.json()["code"] == "reference_not_found"
    platform.send(project())
    platform.send(measure())
    again = platform.send(message, message_id="msg_1")
    assert again.status_code == 200
    assert again.json()["outcome"] == "applied"
    log = facilitator.ok(f"{platform.path}/events", outcome="refused")["items"]
    assert log == []


def test_what_fails_is_logged_and_tried_anew(
    platform: Platform, facilitator: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("a fault of ours, with a secret in its words")

    with monkeypatch.context() as broken:
        broken.setattr(actions, "apply_rule", fail)
        response = platform.send(project(), message_id="msg_1")
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "60"
    assert response.json()["code"] == "inbound_failed"
    assert "secret" not in response.text
    line = facilitator.ok(f"/inbound-events/{response.json()['id']}")
    assert (line["outcome"], line["code"]) == ("failed", "internal_error")
    assert platform.outcome(project(), message_id="msg_1") == ("applied", None)
    assert facilitator.ok(f"/inbound-events/{line['id']}")["outcome"] == "applied"


def test_a_busy_database_is_a_failure_that_passes(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def be_busy(*_: Any) -> None:
        raise Unavailable

    with monkeypatch.context() as busy:
        busy.setattr(actions, "apply_rule", be_busy)
        assert platform.send(project(), message_id="msg_1").status_code == 503
    assert platform.outcome(project(), message_id="msg_1") == ("applied", None)


def test_whoever_comes_second_is_told_to_come_again_without_a_traceback(
    platform: Platform,
    facilitator: Caller,
    session: Session,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lose_the_race(context: Context, *_rest: Any) -> None:
        for _ in range(2):
            context.session.add(
                ExternalReference(
                    programme_id=world.programme.id,
                    resource_type="project",
                    resource_id=new_id(),
                    system="lifeqi",
                    external_id="7",
                    created_at=context.now,
                )
            )
        context.session.flush()

    with monkeypatch.context() as racing, capture_logs() as logged:
        racing.setattr(actions, "apply_rule", lose_the_race)
        answer = platform.send(project(), message_id="msg_1")
    assert answer.status_code == 503
    line = facilitator.ok(f"/inbound-events/{answer.json()['id']}")
    assert (line["outcome"], line["code"]) == ("failed", "already_exists")
    assert [entry for entry in logged if "exc_info" in entry] == []
    assert session.exec(select(ExternalReference)).all() == []
    assert platform.outcome(project(), message_id="msg_1") == ("applied", None)


def test_an_idempotency_key_is_understood_too(platform: Platform) -> None:
    first = platform.send(project(), message_id="msg_1", Idempotency_Key="k1")
    again = platform.send(project(), message_id="msg_1", Idempotency_Key="k1")
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.headers["Idempotency-Replayed"] == "true"


def test_while_paused_nothing_is_taken(platform: Platform, facilitator: Caller) -> None:
    assert facilitator.post(f"{platform.path}/transitions", {"to": "paused"}).status_code == 200
    response = platform.send(project(), message_id="msg_1")
    assert response.status_code == 503
    assert response.json()["code"] == "integration_paused"
    assert response.headers["Retry-After"] == "3600"
    facilitator.post(f"{platform.path}/transitions", {"to": "enabled"})
    assert platform.outcome(project(), message_id="msg_1") == ("applied", None)


def _connected(live: Live) -> tuple[Caller, Platform]:
    owner = live.call(live.world.facilitator)
    return owner, connect(owner, Caller(live.client), live.world.programme.id)


def _at_once(work: Callable[[int], Any]) -> list[Any]:
    with ThreadPoolExecutor(TWINS) as threads:
        return list(threads.map(work, range(TWINS)))


def test_twins_at_once_are_applied_once(live: Live) -> None:
    owner, platform = _connected(live)
    answers = _at_once(lambda _: platform.send(project(), message_id="msg_twin"))
    assert Counter(answer.status_code for answer in answers) == {202: 1, 200: TWINS - 1}
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].json()["outcome"] == "applied"
    assert len(owner.ok("/projects", external_ref="lifeqi:7")["items"]) == 1


def test_messages_at_once_about_one_new_project_make_one(live: Live) -> None:
    """Several win the race to create it; all but one are told to come again, and find it then."""
    owner, platform = _connected(live)
    answers = _at_once(lambda number: platform.send(project(), message_id=f"msg_race_{number}"))
    assert {answer.status_code for answer in answers} <= {202, 503}
    again = _at_once(lambda number: platform.send(project(), message_id=f"msg_race_{number}"))
    assert {answer.status_code for answer in again} == {200}
    outcomes = Counter(answer.json()["outcome"] for answer in again)
    assert outcomes[InboundOutcome.APPLIED] == 1
    assert outcomes[InboundOutcome.UNCHANGED] == TWINS - 1
    assert len(owner.ok("/projects", external_ref="lifeqi:7")["items"]) == 1


def test_the_mapping_may_be_mended_meanwhile(platform: Platform, facilitator: Caller) -> None:
    message = project() | {"event": "initiative.saved"}
    assert platform.outcome(message, message_id="msg_1") == ("ignored", "no_rule")
    rules = [{**MAPPING["rules"][1], "event_type": "*"}]
    body = {"mapping": {"type": "/event", "rules": rules}}
    assert facilitator.patch(platform.path, body).status_code == 200
    assert platform.outcome(message, message_id="msg_1") == ("ignored", "no_rule")
    assert platform.outcome(message, message_id="msg_2") == ("applied", None)
