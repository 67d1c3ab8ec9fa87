"""A connection has a quota of signed messages a minute; what nobody signed costs it nothing."""

from collections.abc import Callable

import pytest
from sqlmodel import Session, select

from app.integrations.models import InboundEvent
from app.kit.limiting import Limiter
from app.kit.signing import make_secret
from app.main import OpenQI, create_app
from app.settings import Settings
from tests.calling import Caller
from tests.integrations.sending import Platform, connect, project
from tests.kit.test_limiting import Clock
from tests.world import World


@pytest.fixture
def clock(app: OpenQI) -> Clock:
    """Of a quota of two."""
    clock = Clock()
    app.state.inbound_limiter = Limiter("messages", quota=2, clock=clock)
    return clock


def _use_up(platform: Platform) -> None:
    for left in (1, 0):
        taken = platform.send(project())
        assert taken.status_code == 202
        assert taken.headers["RateLimit-Policy"] == '"messages";q=2;w=60'
        assert taken.headers["RateLimit"] == f'"messages";r={left};t=60'


def test_more_than_the_quota_has_to_come_later(
    platform: Platform, session: Session, clock: Clock
) -> None:
    _use_up(platform)
    refused = platform.send(project(8), message_id="msg_1")
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "60"
    assert refused.headers["RateLimit"] == '"messages";r=0;t=60'
    assert refused.headers["Content-Type"] == "application/problem+json"
    problem = refused.json()
    assert problem["code"] == "quota_exceeded"
    assert problem["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"
    assert problem["violated-policies"] == ["messages"]
    ids = session.exec(select(InboundEvent.sender_id)).all()
    assert len(ids) == 2
    assert "msg_1" not in ids  # and so it is new when it comes again
    clock.now += 60
    assert platform.outcome(project(8), message_id="msg_1") == ("applied", None)


@pytest.mark.usefixtures("clock")
def test_a_flood_that_nobody_signed_costs_the_platform_nothing(platform: Platform) -> None:
    for _ in range(5):
        assert platform.send(project(), secrets=[make_secret()]).status_code == 401
        assert platform.send(project(), timestamp=1).status_code == 401
        unreadable = platform.send(project(), message_id="with.stop")
        assert unreadable.status_code == 401
        assert "RateLimit" not in unreadable.headers
    _use_up(platform)


@pytest.mark.usefixtures("clock")
def test_whatever_is_signed_counts(platform: Platform) -> None:
    assert platform.send(b"no JSON").status_code == 400
    assert platform.send(project(), message_id="msg_1").status_code == 202
    assert platform.send(project(), message_id="msg_1").status_code == 429


@pytest.mark.usefixtures("clock")
def test_each_connection_has_its_own(
    platform: Platform, facilitator: Caller, call: Callable[..., Caller], world: World
) -> None:
    _use_up(platform)
    other = connect(facilitator, call(None), world.programme.id, system="other")
    _use_up(other)


def test_the_quota_is_a_setting(app: OpenQI, settings: Settings) -> None:
    assert app.state.inbound_limiter.quota == 600
    chosen = {"database_url": "sqlite://", "integration_messages_a_minute": 5}
    other = create_app(settings.model_copy(update=chosen))
    assert other.state.inbound_limiter.quota == 5
    other.state.database.dispose()
