"""The lines of docs/webhooks.md as a newcomer types them, with the receiver of the same page."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.demo import barnet
from tests.journeys.servers import Server, prepared, until
from tests.receivers.receiving import address_of, free_port, receiver

PAGE = Path(__file__).parents[2] / "docs" / "webhooks.md"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "a", prepared(tmp_path / "a.db", with_demonstration=True))
    with closing(server):
        server.wait_until_ready()
        server.log_in(barnet.ADMIN_EMAIL)
        yield server


def test_the_first_message(server: Server, tmp_path: Path) -> None:
    chapter = PAGE.read_text().split("## The first message")[1].split("\n## ")[0]
    make, tell = re.findall(r"```sh\n(.*?)```", chapter, flags=re.DOTALL)
    known = {"API": f"{server.address}/api/v1", "TOKEN": server.token}

    def typed(lines: str) -> str:
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", lines],
            cwd=tmp_path,
            env=os.environ | known,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    port = free_port()
    secret = typed(make.replace("http://127.0.0.1:9000/openqi", address_of(port))).strip()
    known["ENDPOINT"] = json.loads((tmp_path / "endpoint.json").read_text())["id"]
    with receiver(tmp_path, "python", secret=secret, port=port) as printed:
        typed(tell)
        awaited = {"webhook_endpoint.pinged", "project.updated"}
        until(lambda: awaited <= set(printed.read_text().split()), told=printed.read_text)
        deliveries = json.loads(typed(tell.splitlines()[-1]))["items"]
        assert {row["event_type"] for row in deliveries} >= {"project.updated"}
