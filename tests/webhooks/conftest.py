"""A receiver, and the post that delivers to it."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlmodel import Session

from app.kit.clock import utc_now
from app.kit.db import Database
from app.kit.sealing import Sealer
from app.main import OpenQI
from tests.webhooks.receiving import LOOPBACK, Post, Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def post(database: Database, session: Session) -> Post:
    sealer = Sealer(b"a key of tests, thirty-two bytes", use="stored secrets")
    return Post(database, session, sealer, utc_now())


@pytest.fixture
def own_post(app: OpenQI, post: Post) -> Post:
    """The sealer of the application, which may call this machine."""
    policy = replace(LOOPBACK, hosts=app.state.parts.policy.hosts)
    app.state.parts = replace(app.state.parts, policy=policy)
    post.sealer = app.state.parts.sealer
    return post
