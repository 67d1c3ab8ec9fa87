"""A receiver, and the post that delivers to it."""

from collections.abc import Iterator

import pytest
from sqlmodel import Session

from app.kit.clock import utc_now
from app.kit.db import Database
from app.kit.sealing import Sealer
from tests.webhooks.receiving import Post, Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def post(database: Database, session: Session) -> Post:
    sealer = Sealer(b"a key of tests, thirty-two bytes", use="stored secrets")
    return Post(database, session, sealer, utc_now())
