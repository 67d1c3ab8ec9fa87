"""What the tests of endpoints send, and where they look."""

import uuid
from typing import Any

from sqlmodel import Session

from app.webhooks.models import WebhookEndpoint
from tests.calling import Caller
from tests.world import World

PATH = "/webhook-endpoints"
URL = "https://platform.example.org/hooks"


def endpoint_body(world: World, **over: Any) -> dict[str, Any]:
    """An endpoint of the programme, for all events."""
    return {"programme_id": str(world.programme.id), "url": URL, **over}


def created(caller: Caller, world: World, **over: Any) -> dict[str, Any]:
    """A new endpoint, with its secret."""
    return caller.create(PATH, endpoint_body(world, **over))


def codes(answer: Any) -> list[tuple[str, str | None]]:
    """The faults of a refusal, and their places."""
    return [(each["code"], each.get("pointer")) for each in answer.json().get("errors", [])]


def row_of(session: Session, endpoint: dict[str, Any]) -> WebhookEndpoint:
    """The row of an endpoint as it stands in the database."""
    session.expire_all()
    return session.get_one(WebhookEndpoint, uuid.UUID(endpoint["id"]))
