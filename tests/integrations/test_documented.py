"""docs/integrations.md does what it says: its mapping, messages, way to sign and outcomes."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest

from app.integrations.inbound.actions import InboundFailed, IntegrationPaused, MessageIdReused
from app.integrations.inbound.dependencies import InvalidSignature
from app.integrations.models import InboundOutcome
from app.kit.signing import make_secret, verify
from tests.calling import Caller
from tests.serving import serving
from tests.world import World

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "integrations.md").read_text()
SENDER = DOCS / "receivers" / "sender.py"
CONNECTION, *MESSAGES = (
    json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
)


@pytest.fixture
def connected(facilitator: Caller, world: World) -> dict[str, Any]:
    body = CONNECTION | {"programme_id": str(world.programme.id)}
    return facilitator.create("/integrations", body)


def _signed(secret: str, message_id: str, body: bytes) -> dict[str, str]:
    """By the function of the page."""
    headers: dict[str, str] = run_path(str(SENDER))["signed"](secret, message_id, body)
    return headers


def test_the_messages_of_the_page_do_what_the_page_says(
    call: Callable[..., Caller], facilitator: Caller, connected: dict[str, Any]
) -> None:
    path, nobody = f"/integrations/{connected['id']}", call(None)
    assert len(MESSAGES) == 3
    for message in MESSAGES:
        body = json.dumps(message).encode()
        tried = facilitator.post(f"{path}/mapping-tests", {"message": message}).json()
        assert tried["outcome"] == "applied", tried
        for status in (202, 200):
            headers = _signed(
                connected["secret"], f"msg_{message['event']}".replace(".", "_"), body
            )
            answer = nobody("POST", f"{path}/events", content=body, headers=headers)
            assert (answer.status_code, answer.json()["outcome"]) == (status, "applied"), (
                answer.text
            )
    (project,) = facilitator.ok("/projects", external_ref="lifeqi:7")["items"]
    assert (project["title"], project["tags"]) == ("Same-day access", ["from-lifeqi"])
    (measure,) = facilitator.ok(f"/projects/{project['id']}/measures")["items"]
    assert measure["external_refs"] == [{"system": "lifeqi", "id": "m-70"}]
    assert measure["family"] == "outcome"
    points = facilitator.ok(f"/measures/{measure['id']}/data-points")["items"]
    assert [(point["numerator"], point["denominator"]) for point in points] == [(41, 60), (44, 61)]


def test_the_command_of_the_page_sends_what_it_reads(tmp_path: Path) -> None:
    secret, taken = make_secret(), []

    async def receiver(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        body, more = b"", True
        while more:
            part = await receive()
            body, more = body + part.get("body", b""), part.get("more_body", False)
        taken.append(({name.decode(): value.decode() for name, value in scope["headers"]}, body))
        await send({"type": "http.response.start", "status": 202, "headers": []})
        await send({"type": "http.response.body", "body": b"taken"})

    body = json.dumps(MESSAGES[0]).encode()
    with serving(receiver) as address:
        done = subprocess.run(
            [sys.executable, str(SENDER), f"{address}/events"],
            input=body,
            env=os.environ | {"OPENQI_SECRET": secret},
            capture_output=True,
            timeout=30,
            check=False,
        )
    assert done.stdout == b"202 taken\n", done.stderr
    ((headers, sent),) = taken
    assert sent == body
    assert verify(
        [secret],
        message_id=headers["webhook-id"],
        timestamp=headers["webhook-timestamp"],
        signature=headers["webhook-signature"],
        body=sent,
        now=float(headers["webhook-timestamp"]),
    )


def test_every_outcome_and_refusal_stands_on_the_page() -> None:
    refusals = (InvalidSignature, MessageIdReused, IntegrationPaused, InboundFailed)
    for word in (*InboundOutcome, *(refusal.code for refusal in refusals)):
        assert f"{word}`" in PAGE, word
