"""The receivers of docs/webhooks.md are run: what is signed is taken once, all else is refused."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from sqlmodel import col, select
from standardwebhooks import Webhook

from app.events.catalogue import Resource
from app.events.models import Event
from app.kit.signing import make_secret, sign
from app.webhooks.messages.envelopes import example_of
from tests.receivers.receiving import NODE, RECEIVERS, address_of, free_port, receiver
from tests.serving import serving
from tests.webhooks.feed.conftest import Stage, stage, stage_url
from tests.webhooks.feed.happening import dispatch, happen

__all__ = ["stage", "stage_url"]  # fixtures
DOCS = RECEIVERS.parent
SECRET = make_secret()
BODY = json.dumps(example_of("project.state_changed"), separators=(",", ":")).encode()
ID = example_of("project.state_changed")["id"]
needs_node = pytest.mark.skipif(not NODE, reason="node is not installed here")


def _ours(body: bytes = BODY, *, at: float | None = None, secrets: tuple[str, ...] = ()) -> Any:
    held = secrets or (SECRET,)
    return sign(held, message_id=ID, timestamp=int(at or time.time()), body=body)


def _theirs(body: bytes = BODY) -> dict[str, str]:
    now = datetime.now(UTC)
    return {
        "webhook-id": ID,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRET).sign(ID, now, body.decode()),
    }


def _refused() -> list[tuple[str, dict[str, str], bytes]]:
    good = _ours()
    return [
        ("changed body", good, BODY.replace(b"testing", b"stopped")),
        ("changed id", good | {"webhook-id": "evt_other"}, BODY),
        ("other secret", _ours(secrets=(make_secret(),)), BODY),
        ("old", _ours(at=time.time() - 400), BODY),
        ("of the future", _ours(at=time.time() + 400), BODY),
        ("no number", good | {"webhook-timestamp": "now"}, BODY),
        ("junk", good | {"webhook-signature": "v1,%%%"}, BODY),
        ("no comma", good | {"webhook-signature": "nothing"}, BODY),
        ("other version", good | {"webhook-signature": "v2," + "A" * 44}, BODY),
        ("no headers", {}, BODY),
    ]


@pytest.fixture(params=["python", pytest.param("node", marks=needs_node)])
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A receiver: its address, and what it printed."""
    port = free_port()
    with receiver(tmp_path, request.param, secret=SECRET, port=port) as printed:
        yield address_of(port), printed


def _handled(printed: Path) -> int:
    return printed.read_text().count("project.state_changed")


def test_a_receiver_takes_what_is_signed_and_takes_it_once(running: tuple[str, Path]) -> None:
    address, printed = running
    for label, headers, body in _refused():
        answer = httpx.post(address, content=body, headers=headers)
        assert answer.status_code == 401, label
    assert _handled(printed) == 0
    both = _ours(secrets=(make_secret(), SECRET))  # while it is rotated
    for headers in (_ours(), _theirs(), both):
        assert httpx.post(address, content=BODY, headers=headers).status_code == 204
    assert _handled(printed) == 1


@needs_node
def test_the_code_step_takes_what_is_signed() -> None:
    cases = [("ours", _ours(), BODY), ("theirs", _theirs(), BODY), *_refused()]
    cases.append(("capitals", {name.title(): text for name, text in _ours().items()}, BODY))
    given = [
        {"secret": SECRET, "headers": headers, "body": body.decode()} for _, headers, body in cases
    ]
    script = (
        "const { check } = require('./code_step.js');"
        "const cases = JSON.parse(require('fs').readFileSync(0));"
        "console.log(JSON.stringify(cases.map(check)));"
    )
    run = subprocess.run(
        [NODE, "-e", script],
        cwd=RECEIVERS,
        input=json.dumps(given).encode(),
        capture_output=True,
        check=True,
    )
    answers = dict(zip([label for label, *_ in cases], json.loads(run.stdout), strict=True))
    taken = {label for label, answer in answers.items() if answer["ok"]}
    assert taken == {"ours", "theirs", "capitals"}
    assert answers["ours"]["message"] == json.loads(BODY)
    assert answers["old"]["message"] is None


def _told(stage: Stage, count: int) -> None:
    with stage.database.writing() as session:
        for _ in range(count):
            happen(session, Resource.PROJECT, project=stage.world.project)
    dispatch(stage.database)


def test_catching_up_goes_on_from_where_it_was(stage: Stage, tmp_path: Path) -> None:
    _told(stage, 3)
    token = stage.token(stage.world.facilitator)
    with serving(stage.app) as address:

        def run() -> list[str]:
            environment = os.environ | {
                "OPENQI_URL": address,
                "OPENQI_TOKEN": token,
                "PLACE_FILE": str(tmp_path / "place"),
            }
            done = subprocess.run(
                [sys.executable, RECEIVERS / "catch_up.py"],
                env=environment,
                capture_output=True,
                check=True,
                text=True,
            )
            return done.stdout.splitlines()

        assert len(run()) >= 3
        assert run() == []
        _told(stage, 2)
        assert len(run()) == 2


@needs_node
def test_watching_goes_on_after_a_break(stage: Stage) -> None:
    _told(stage, 2)
    token = stage.token(stage.world.facilitator)
    script = """
        import { watch } from "./watch.mjs";
        const stop = new AbortController();
        const told = [];
        let faults = 0;
        const [address, token] = process.argv.slice(1);
        await watch({ address, token, last: 0, wait: 50, signal: stop.signal, onEvent(event) {
          if (told.length === 1 && faults++ === 0) throw new Error("the database is away");
          told.push(event.seq);
          if (told.length === 4) stop.abort();
        } });
        console.log(JSON.stringify(told));
    """
    stage.app.state.viewers.limits = stage.app.state.viewers.limits._replace(
        lifetime=0.3, tick=0.05
    )
    with serving(stage.app) as address:
        process = subprocess.Popen(
            [NODE, "--input-type=module", "-e", script, address, token],
            cwd=RECEIVERS,
            stdout=subprocess.PIPE,
        )
        time.sleep(1)  # several lives of a stream
        _told(stage, 2)
        try:
            output, _ = process.communicate(timeout=20)
        finally:
            process.kill()
            process.wait()
    told = json.loads(output)
    assert len(told) == 4
    mine = select(Event.seq).where(Event.programme_id == stage.world.programme.id)
    with stage.database.reading() as session:
        assert told == session.exec(mine.order_by(col(Event.seq))).all()


def test_the_pages_show_the_files_as_they_are() -> None:
    page = (DOCS / "webhooks.md").read_text() + (DOCS / "integrations.md").read_text()
    shown = dict(re.findall(r"`docs/receivers/([\w.]+)`\n\n```\w+\n(.*?)```\n", page, re.DOTALL))
    assert shown == {path.name: path.read_text() for path in RECEIVERS.iterdir() if path.is_file()}
