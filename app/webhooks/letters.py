"""Mail to the owner of an endpoint: jobs with identifiers only, and the letters made from them."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlmodel import Session

from app.identity.models import User
from app.jobs.mailing import WriteLetter, ask_to_send
from app.kit.mail import Letter
from app.webhooks.models import WebhookEndpoint

_FAILING, _DISABLED = "webhook_endpoint_failing", "webhook_endpoint_disabled"


def _send(session: Session, letter: str, *, endpoint: Any, occasion: object) -> None:
    """One letter an occasion; `endpoint` is a row or its columns."""
    ids = {"endpoint_id": endpoint.id.hex}
    key = f"mail:{letter}:{endpoint.id.hex}:{occasion}"
    ask_to_send(session, letter, ids, key=key, programme_id=endpoint.programme_id)


def warn_of_failures(session: Session, *, endpoint: Any, since: datetime | None) -> None:
    """The first message was given up."""
    _send(session, _FAILING, endpoint=endpoint, occasion=since.isoformat() if since else "")


def tell_of_disabling(session: Session, *, endpoint: Any, revision: int) -> None:
    """Nothing is sent any more."""
    _send(session, _DISABLED, endpoint=endpoint, occasion=revision)


def _read(session: Session, ids: Mapping[str, Any]) -> tuple[WebhookEndpoint, str, str]:
    """The endpoint, the address of its owner, and what to call it: its URL may hold a secret."""
    endpoint = session.get_one(WebhookEndpoint, uuid.UUID(ids["endpoint_id"]))
    owner = session.get_one(User, endpoint.owner_id)
    name = endpoint.description or urlsplit(endpoint.url).hostname or "your endpoint"
    return endpoint, owner.email, " ".join(name.split())


def failing_letter(session: Session, ids: Mapping[str, Any]) -> Letter:
    """A warning: what was given up can be sent again."""
    endpoint, to, name = _read(session, ids)
    since = f"{endpoint.failing_since:%d %B %Y, %H:%M} UTC" if endpoint.failing_since else "lately"
    text = (
        f"A webhook message to {name} was given up after its last attempt.\n"
        f"Deliveries have failed since: {since}.\n\n"
        "If none succeeds for 5 days, the endpoint is disabled. Look at its deliveries and their\n"
        "attempts, mend the receiver, and have what was missed sent again:\n\n"
        f"GET /api/v1/webhook-deliveries?endpoint_id={endpoint.id}\n"
        f"POST /api/v1/webhook-endpoints/{endpoint.id}/replays\n"
    )
    return Letter(to, f"Webhook deliveries to {name} fail", text)


def disabled_letter(session: Session, ids: Mapping[str, Any]) -> Letter:
    """Why it was disabled, and how to go on."""
    endpoint, to, name = _read(session, ids)
    since = f"{endpoint.failing_since:%Y-%m-%dT%H:%M:%SZ}" if endpoint.failing_since else "..."
    text = (
        f"The webhook endpoint {name} was disabled. {endpoint.disabled_reason or ''}\n\n"
        "Nothing is sent to it any more. Mend the receiver, enable the endpoint, and have what\n"
        "was missed sent again:\n\n"
        f'POST /api/v1/webhook-endpoints/{endpoint.id}/transitions {{"to": "enabled"}}\n'
        f'POST /api/v1/webhook-endpoints/{endpoint.id}/replays {{"failed_since": "{since}"}}\n'
    )
    return Letter(to, f"Webhook endpoint {name} was disabled", text)


LETTERS: dict[str, WriteLetter] = {
    _FAILING: failing_letter,
    _DISABLED: disabled_letter,
}
