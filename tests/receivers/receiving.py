"""A receiver of docs/webhooks.md in a process of its own."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx

RECEIVERS = Path(__file__).parents[2] / "docs" / "receivers"
NODE = shutil.which("node") or ""


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def receiver(folder: Path, language: str, *, secret: str, port: int) -> Iterator[Path]:
    """Run the one in `python` or `node`; yields the file of what it printed."""
    printed = folder / "printed"
    environment = os.environ | {
        "OPENQI_WEBHOOK_SECRET": secret,
        "PORT": str(port),
        "SEEN_DATABASE": str(folder / "seen.db"),
    }
    python = [sys.executable, "-m", "uvicorn", "receiver:app", "--port", str(port)]
    command = python if language == "python" else [NODE, "receiver.mjs"]
    with printed.open("w") as output:
        process = subprocess.Popen(command, cwd=RECEIVERS, env=environment, stdout=output)
        try:
            _wait_for(address_of(port), process)
            yield printed
        finally:
            process.terminate()
            process.wait(10)


def address_of(port: int) -> str:
    """Where it takes messages."""
    return f"http://127.0.0.1:{port}/openqi"


def _wait_for(address: str, process: Any) -> None:
    deadline = time.monotonic() + 20
    while True:
        assert process.poll() is None, "it did not start"
        try:
            httpx.get(address)
        except httpx.ConnectError:
            assert time.monotonic() < deadline
            time.sleep(0.05)  # another process's start, which tells nobody
        else:
            return
