"""`openqi import`: a file goes to a real server, and the terminal shows how far it is."""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from app import cli
from app.access.permissions import Role
from app.identity.models import LoginSession
from app.kit import migrations
from app.kit.clock import utc_now
from app.kit.db import Database
from app.kit.negotiation import CSV
from app.kit.remote import Declined, Remote, Unreachable
from app.main import create_app
from app.measures.imports import rows
from app.measures.models import Measure
from app.operations.terminal import FAILURES_IN_A_ROW, follow, show_end
from app.settings import Settings
from tests.builders import make_measure, make_membership, make_project, make_team, make_user
from tests.jobs.draining import drain
from tests.measures.importing import RUNNERS, csv_of, lines_of, named, point, points
from tests.operations.bodies import quick
from tests.serving import serving


@dataclass
class Served:
    """A server, a measure in it, and the token of somebody who may load it."""

    address: str
    database: Database
    path: str
    token: str
    measure: Measure

    def post(self, remote: Remote, text: str, **params: Any) -> str:
        content = text.encode()
        _, headers = remote.send("POST", self.path, content=content, media_type=CSV, params=params)
        return headers["Location"]

    def work(self) -> None:
        """Run the operation that waits."""
        later = int((utc_now() + timedelta(days=1)).timestamp() * 1000)
        drain(self.database, [quick(RUNNERS, self.database)], now=later)


@pytest.fixture(scope="module")
def served(new_database_url: Callable[[str, str], str], settings: Settings) -> Iterator[Served]:
    url = new_database_url("sqlite", "terminal")
    migrations.upgrade(url)
    app = create_app(settings.model_copy(update={"database_url": url}))
    database, now = app.state.database, utc_now()
    with database.writing() as session:
        measure = make_measure(session, project=make_project(session, team=make_team(session)))
        user = make_user(session)
        make_membership(
            session, user=user, role=Role.FACILITATOR, programme_id=measure.programme_id
        )
        login = LoginSession(user_id=user.id, expires_at=now + timedelta(hours=1))
        session.add(login)
        session.commit()
        token = app.state.tokens.issue(user_id=user.id, session_id=login.id, now=now)
        path = f"/api/v1/measures/{measure.id}/imports"
    with serving(app) as address:
        yield Served(address, database, path, token, measure)
    database.dispose()


@pytest.fixture
def remote(served: Served) -> Iterator[Remote]:
    with Remote(served.address, served.token) as remote:
        yield remote


def _console(*, is_terminal: bool) -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    return Console(file=text, force_terminal=is_terminal, width=100), text


@pytest.mark.parametrize("is_terminal", [True, False])
def test_it_shows_how_far_it_is(
    is_terminal: bool, served: Served, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "BATCH_ROWS", 10)
    location = served.post(remote, csv_of(points(40)))
    waits = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 1:  # the permission is checked, then two batches are written
            _some_chunks(served)
        else:
            served.work()

    console, text = _console(is_terminal=is_terminal)
    done = follow(remote, location, console=console, wait=wait)
    assert (done["state"], done["progress"]) == ("succeeded", {"done": 40, "total": 40})
    assert waits == [2.0, 2.0]
    shown = text.getvalue()
    if is_terminal:
        assert "40/40" in shown
        assert "\x1b[" in shown
    else:
        assert shown.splitlines() == [
            "pending: 0 of 40",
            "running: 20 of 40",
            "succeeded: 40 of 40",
        ]


def _some_chunks(served: Served) -> None:
    """The permission is checked, then two batches are written; the worker stops."""
    stops = iter([False, False, True])
    handler = quick(RUNNERS, served.database, is_stopping=lambda: next(stops, True))
    later = int((utc_now() + timedelta(days=1)).timestamp() * 1000)
    with pytest.raises(AssertionError, match="jobs go on"):
        drain(served.database, [handler], now=later, rounds=1)


def test_faults_are_a_table(served: Served, remote: Remote) -> None:
    bad = [point(0), point(1, numerator=21), point(2, denominator="[red]many")]
    location = served.post(remote, csv_of(bad))
    served.work()
    console, text = _console(is_terminal=False)
    assert not show_end(follow(remote, location, console=console), console)
    shown = text.getvalue()
    assert "numerator_exceeds_denominator" in shown
    assert "failed: Faults: 2; nothing was written." in shown
    location = served.post(remote, csv_of(bad), on_error="skip")
    served.work()
    assert show_end(follow(remote, location, console=console), console)
    assert "skipped: 2" in text.getvalue()


def test_a_cancelled_one_is_no_success(served: Served, remote: Remote) -> None:
    location = served.post(remote, csv_of(points(2)))
    remote.send("POST", f"{location}/cancel")
    served.work()  # its job finds nothing to do; left, it would be the next test's
    console, text = _console(is_terminal=False)
    assert not show_end(follow(remote, location, console=console), console)
    assert "cancelled" in text.getvalue()


def test_a_server_that_is_away_for_a_moment(
    served: Served, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    location = served.post(remote, csv_of(points(2)))
    served.work()
    away = iter(range(FAILURES_IN_A_ROW - 1))
    send = remote.send

    def flaky(*arguments: Any, **options: Any) -> Any:
        if next(away, None) is not None:
            raise Unreachable("away")
        return send(*arguments, **options)

    monkeypatch.setattr(remote, "send", flaky)
    console, _ = _console(is_terminal=False)
    waits: list[float] = []
    assert follow(remote, location, console=console, wait=waits.append)["finished_at"]
    assert waits == [1.0] * (FAILURES_IN_A_ROW - 1)
    away = iter(range(FAILURES_IN_A_ROW))
    with pytest.raises(Unreachable):
        follow(remote, location, console=console, wait=waits.append)


@pytest.mark.parametrize(
    "url", ["http://openqi.example", "ftp://127.0.0.1", "127.0.0.1:8000", "http://[", ""]
)
def test_the_token_travels_in_no_clear_text(url: str) -> None:
    with pytest.raises(Unreachable):
        Remote(url, "token")


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_nor_to_a_proxy_of_the_environment(
    served: Served, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody is there
    with Remote(served.address, served.token) as remote:
        assert remote.send("GET", "/api/v1/me")[0]["email"]


def test_refusals_keep_their_problem(served: Served, remote: Remote) -> None:
    with pytest.raises(Declined) as caught:
        served.post(remote, "weight\n1\n")
    assert caught.value.status == 422
    assert {fault["code"] for fault in caught.value.problem["errors"]} >= {"unknown_column"}
    with Remote("http://127.0.0.1:9", "token") as nobody, pytest.raises(Unreachable):
        nobody.send("GET", "/api/v1/me")
    with Remote(served.address, served.token) as other, pytest.raises(Unreachable):
        other.send("GET", "/docs")


def _invoke(
    served: Served,
    file: Path,
    *options: str,
    token: str | None = None,
    to: Sequence[str] | None = None,
) -> Result:
    where = ["--measure", str(served.measure.id)] if to is None else to
    arguments = ["import", str(file), *where, "--url", served.address, *options]
    return CliRunner().invoke(cli.app, arguments, env={"OPENQI_TOKEN": token})


def test_the_command(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worked = partial(follow, wait=lambda _seconds: served.work())
    monkeypatch.setattr("app.operations.terminal.follow", worked)
    token, file = tmp_path / "token", tmp_path / "good.jsonl"
    token.write_text(f"{served.token}\n")
    file.write_text(lines_of(points(1_200)))
    done = _invoke(served, file, "--token-file", str(token))
    assert done.exit_code == 0, done.output
    assert "succeeded: 1200 of 1200" in done.stdout
    file = tmp_path / "bad.csv"
    file.write_text(csv_of([point(0), point(0)]))
    failed = _invoke(served, file, token=served.token)
    assert failed.exit_code == 1
    assert "duplicate_row" in failed.stdout
    assert _invoke(served, file, "--on-error", "skip", token=served.token).exit_code == 0


def test_the_command_refuses_in_a_sentence(served: Served, tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_text("weight\n1\n")
    refused = _invoke(served, file, token=served.token)
    assert refused.exit_code == 1
    assert "unknown_column" in refused.stdout
    assert "the server declines (422)" in refused.stderr
    without = _invoke(served, file)
    assert (without.exit_code, without.stderr) == (
        1,
        "openqi: give a token: --token-file, or OPENQI_TOKEN.\n",
    )
    assert _invoke(served, tmp_path / "nowhere.csv", token=served.token).exit_code == 2


def test_the_command_loads_a_project(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked = partial(follow, wait=lambda _seconds: served.work())
    monkeypatch.setattr("app.operations.terminal.follow", worked)
    project = ["--project", str(served.measure.project_id)]
    file = tmp_path / "many.csv"
    file.write_text(csv_of([{"measure": "[b]nobody", **point(1)}, {"measure": "", **point(2)}]))
    failed = _invoke(served, file, to=project, token=served.token)
    assert failed.exit_code == 1
    assert "reference_not_found" in failed.stdout
    assert "measure_missing" in failed.stdout
    file.write_text(csv_of(named(served.measure, [point(5_000), point(5_001)])))
    done = _invoke(served, file, "--dry-run", to=project, token=served.token)
    assert done.exit_code == 0, done.output
    (line,) = [line for line in done.stdout.splitlines() if served.measure.name in line]
    assert line.split()[-2] == "2"
    assert "Skipped" not in done.stdout  # a column of zeros
    file.write_text(f"external_id,period_start\nA1,{point(0)['period_start']}\n")
    unknown = _invoke(served, file, "--system", "sus", to=project, token=served.token)
    assert "reference_not_found" in unknown.stdout
    assert "system_missing" in _invoke(served, file, to=project, token=served.token).stdout


@pytest.mark.parametrize("extra", [["--project"], ["--system"], None])
def test_the_command_wants_one_place(
    extra: list[str] | None, served: Served, tmp_path: Path
) -> None:
    """A measure and a project, a system for a measure, and neither."""
    file = tmp_path / "good.csv"
    file.write_text(csv_of(points(1)))
    options = [] if extra is None else [*extra, str(served.measure.project_id)]
    done = _invoke(served, file, *options, to=[] if extra is None else None, token=served.token)
    assert done.exit_code == 2
    assert "--project" in done.stderr
