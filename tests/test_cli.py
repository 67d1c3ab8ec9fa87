"""The command line as a newcomer meets it: what it prints, refuses, and leaves alone."""

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx2 as httpx
import pytest

from app import cli

ROOT = Path(__file__).resolve().parents[1]
PATIENCE_SECONDS = 60.0


def environment(folder: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENQI_")}
    return kept | {
        "PYTHONPATH": str(ROOT),
        # Every process that a test starts would compile all modules anew where that is forbidden.
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(Path(tempfile.gettempdir()) / "openqi-bytecode"),
        "OPENQI_DATABASE_URL": f"sqlite:///{folder / 'demo.db'}",
        "OPENQI_SIGNING_KEY_FILE": str(folder / "key.pem"),
        "OPENQI_PASSWORD_MEMORY_KIB": "64",
        "PORT": "0",
        **more,
    }


def run(
    folder: Path, *arguments: str, stdin: str | None = None, **more: str
) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        cwd=folder,
        env=environment(folder, **more),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


@contextmanager
def running(folder: Path, *arguments: str, **more: str) -> Iterator[list[str]]:
    """A server, stopped by Ctrl-C at the end; yields the lines of its greeting."""
    process = subprocess.Popen(
        [sys.executable, "-m", "app", *arguments],
        cwd=folder,
        env=environment(folder, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                break
        yield lines
    finally:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert "Traceback" not in errors, errors
    assert process.returncode in (0, 128 + signal.SIGINT)


def _found(lines: list[str], pattern: str) -> str:
    found = re.search(pattern, "".join(lines))
    assert found is not None, lines
    return found[1]


def _count(folder: Path, table: str) -> int:
    with closing(sqlite3.connect(folder / "demo.db")) as connection:
        number: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
    return number


def _dump(folder: Path) -> str:
    with closing(sqlite3.connect(folder / "demo.db")) as connection:
        return "\n".join(connection.iterdump())


def test_the_demonstration_serves_what_it_prints_and_starts_again(tmp_path: Path) -> None:
    with running(tmp_path, "demo") as lines:
        docs = _found(lines, r"Docs page:\s+(\S+)")
        email = _found(lines, r"Administrator:\s+(\S+)")
        password = _found(lines, r"Password:\s+(\S+)")
        assert httpx.get(docs).status_code == 200
        curl = next(line.strip() for line in lines if line.strip().startswith("curl"))
        answer = subprocess.run(
            ["bash", "-c", curl], capture_output=True, text=True, check=True, timeout=30
        )
        assert json.loads(answer.stdout)["variation"] == "improvement_high"
        refused = run(tmp_path, "demo")
        assert refused.returncode == 1
        assert "takes one at a time" in refused.stderr
    programmes, events = _count(tmp_path, "programme"), _count(tmp_path, "event")
    assert (tmp_path / "key.pem").stat().st_mode & 0o777 == 0o600
    with running(tmp_path, "demo") as lines:
        again = _found(lines, r"Docs page:\s+(\S+)").removesuffix("/docs")
        assert _found(lines, r"Password:\s+(\S+)") != password
        form = {"username": email, "password": password}
        assert httpx.post(f"{again}/api/v1/auth/token", data=form).status_code == 400
    assert (_count(tmp_path, "programme"), _count(tmp_path, "event")) == (programmes, events)


def test_a_command_loads_what_it_needs(tmp_path: Path) -> None:
    """The API takes about as long to load as the rest together."""
    asked = (
        "import sys, app.cli, app.worker; print([name in sys.modules for name in "
        "('app.api', 'app.main', 'app.demo', 'app.tables')])"
    )
    result = subprocess.run(
        [sys.executable, "-c", asked],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_SECONDS,
    )
    assert result.stdout.strip() == "[False, False, False, True]"


def test_a_kept_connection_does_not_wait() -> None:
    """asyncio switches Nagle's algorithm off only on sockets that name their protocol."""
    listener = cli._bind("127.0.0.1", 0)
    with listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_a_busy_port_leaves_no_trace(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = run(tmp_path, "demo", PORT=port)
    assert result.returncode == 1
    assert f"127.0.0.1:{port} cannot be listened on" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_database_of_a_newer_schema_is_left_alone(tmp_path: Path) -> None:
    assert run(tmp_path, "migrate").returncode == 0
    with closing(sqlite3.connect(tmp_path / "demo.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'from_the_future'")
        connection.commit()
    before = _dump(tmp_path)
    for command in ("demo", "serve", "migrate"):
        result = run(tmp_path, command)
        assert result.returncode == 1, command
        assert "newer schema" in result.stderr
        assert result.stderr.count("\n") == 1 or command == "serve"
    assert _dump(tmp_path) == before


@pytest.mark.parametrize(
    ("command", "more", "sentence"),
    [
        ("demo", {"OPENQI_DATABASE_URL": "sqlite:////nowhere/at/all.db"}, "cannot be used"),
        ("demo", {"OPENQI_DATABASE_URL": "postgresql://x@127.0.0.1:1/x"}, "cannot be used"),
        ("demo", {"OPENQI_DATABASE_URL": "nonsense"}, "cannot be used"),
        ("demo", {"OPENQI_SIGNING_KEY": "nonsense"}, "PEM private key"),
        ("serve", {"OPENQI_ENVIRONMENT": "production"}, "generated signing key is refused"),
        ("serve", {"OPENQI_LOG_LEVEL": "LOUD"}, "OPENQI_LOG_LEVEL"),
        ("serve", {"OPENQI_CORS_ORIGINS": "*"}, "OPENQI_CORS_ORIGINS"),
        ("serve", {}, "run `openqi migrate` first"),
    ],
)
def test_each_refusal_is_a_sentence(
    tmp_path: Path, command: str, more: dict[str, str], sentence: str
) -> None:
    result = run(tmp_path, command, **more)
    assert result.returncode == 1, result.stderr
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("the superuser may write everywhere")
    tmp_path.chmod(0o555)
    result = run(tmp_path, "demo")
    tmp_path.chmod(0o755)
    assert result.returncode == 1
    assert "cannot be used" in result.stderr


def test_a_wrong_option_is_wrong_usage(tmp_path: Path) -> None:
    assert run(tmp_path, "demo", "--colour").returncode == 2
    assert run(tmp_path, "demo", PORT="many").returncode == 2
    assert "demo" in run(tmp_path, "--help").stdout


def test_the_first_administrator(tmp_path: Path) -> None:
    assert run(tmp_path, "migrate").returncode == 0

    def make(email: str, password: str) -> subprocess.CompletedProcess[str]:
        return run(tmp_path, "create-admin", email, stdin=f"{password}\n")

    assert make("ada@example.org", "a long phrase of my own").returncode == 0
    twin = make("ADA@example.org", "a long phrase of my own")
    assert twin.returncode == 1
    assert "already" in twin.stderr
    for email, password in (("ada", "a long phrase of my own"), ("b@example.org", "short")):
        assert make(email, password).returncode == 1
    assert _count(tmp_path, "app_user") == 1
    assert _count(tmp_path, "membership") == 1


def test_the_document_is_printed_and_compared(tmp_path: Path) -> None:
    printed = run(tmp_path, "openapi")
    assert json.loads(printed.stdout)["openapi"].startswith("3.1")
    copy = tmp_path / "copy.json"
    copy.write_text(printed.stdout)
    assert run(tmp_path, "openapi", "--check", str(copy)).returncode == 0
    copy.write_text(printed.stdout.replace("OpenQI", "ClosedQI"))
    assert run(tmp_path, "openapi", "--check", str(copy)).returncode == 1
