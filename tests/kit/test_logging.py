"""The log: one JSON object a line with the request id, ours and the libraries' alike; no secret."""

import io
import json
import logging
import sys
import uuid
from collections.abc import Callable, Iterator

import httpx2
import pytest
import structlog
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session
from structlog.testing import capture_logs

from app.kit.clock import utc_now
from app.kit.logging import bound, configure
from app.references.models import ExternalReference
from tests.calling import Caller
from tests.kit.test_outbound import answering, send
from tests.world import World


@pytest.fixture
def lines(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Callable[[], list[dict[str, object]]]]:
    """What is logged, from INFO on or from the level that the test is parametrised with."""
    kept = structlog.get_config()
    handlers, level = logging.root.handlers[:], logging.root.level
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    configure(level=getattr(request, "param", "INFO"), log_format="json")

    def read() -> list[dict[str, object]]:
        return [json.loads(line) for line in written.getvalue().splitlines()]

    yield read
    structlog.configure(**kept)
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def test_our_lines_and_those_of_libraries_have_one_form(
    lines: Callable[[], list[dict[str, object]]],
) -> None:
    with structlog.contextvars.bound_contextvars(request_id="abc"):
        structlog.get_logger().info("saved", rows=3)
        logging.getLogger("some.library").warning("careful: %s", "hot")
    ours, theirs = lines()
    assert (ours["event"], ours["rows"], ours["request_id"]) == ("saved", 3, "abc")
    assert (theirs["event"], theirs["level"]) == ("careful: hot", "warning")
    assert theirs["request_id"] == "abc"
    assert {"level", "timestamp"} <= set(ours) & set(theirs)


def test_ids_that_are_bound_stand_in_every_line_of_the_block(
    lines: Callable[[], list[dict[str, object]]],
) -> None:
    event_id = uuid.uuid4()
    with bound(job_id=7, kind="webhook.deliver", attempt=2, event_id=event_id):
        structlog.get_logger().info("delivered")
        logging.getLogger("some.library").warning("slow")
    structlog.get_logger().info("idle")
    ours, theirs, after = lines()
    stated = {"job_id": 7, "kind": "webhook.deliver", "attempt": 2, "event_id": str(event_id)}
    for line in (ours, theirs):
        assert {name: line[name] for name in stated} == stated
    assert not set(stated) & set(after)


def test_an_exception_is_one_line(lines: Callable[[], list[dict[str, object]]]) -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError as error:
        structlog.get_logger().error("failed", exc_info=error)
    (line,) = lines()
    assert "ValueError: two\nlines" in str(line["exception"])


def _refused(session: Session, world: World, external_id: str) -> IntegrityError:
    """What the database says of a second row with the same id."""
    try:
        with session.begin_nested():
            session.add_all(
                ExternalReference(
                    programme_id=world.programme.id,
                    resource_type="project",
                    resource_id=uuid.uuid4(),
                    system="lifeqi",
                    external_id=external_id,
                    created_at=utc_now(),
                )
                for _ in range(2)
            )
            session.flush()
    except IntegrityError as fault:
        return fault
    raise AssertionError("it was not refused")


@pytest.mark.parametrize("external_id", ["ada@home", "ada\n\nat\nada@home\n"])
@pytest.mark.parametrize("is_group", [False, True])
def test_a_database_error_says_nothing_of_the_rows(
    session: Session,
    world: World,
    lines: Callable[[], list[dict[str, object]]],
    external_id: str,
    is_group: bool,
) -> None:
    """PostgreSQL's own words hold the values, though SQLAlchemy hides its parameters."""
    fault = _refused(session, world, external_id)
    if session.get_bind().dialect.name == "postgresql":
        assert "ada@home" in str(fault)
    try:
        try:
            raise ExceptionGroup("both", [fault, fault]) if is_group else fault
        except Exception as first:
            raise RuntimeError("the first thing\nthat went wrong") from first
    except RuntimeError as chained:
        structlog.get_logger().error("failed", exc_info=chained, error=str(fault))
        logging.getLogger("some.library").exception("failed too")
    written = lines()
    assert len(written) == 2
    assert "ada" not in str(written)
    for line in written:
        assert "UniqueViolation" in str(line) or "UNIQUE constraint failed" in str(line)
        assert str(line["exception"]).endswith("RuntimeError: the first thing\nthat went wrong")
        assert "[SQL: INSERT INTO external_reference" in str(line["exception"])
        assert str(line["exception"]).count("Traceback") >= 2


def test_what_is_less_severe_is_left_out(lines: Callable[[], list[dict[str, object]]]) -> None:
    structlog.get_logger().debug("detail")
    logging.getLogger("some.library").debug("detail")
    assert lines() == []


@pytest.mark.parametrize("lines", ["DEBUG"], indirect=True)
def test_no_address_of_a_receiver_is_logged(
    lines: Callable[[], list[dict[str, object]]],
) -> None:
    """It may hold a secret, and answers repeat it; whoever looks for a fault logs everything."""
    moved = b"HTTP/1.1 302 Found\r\nLocation: /h00ks?key=s3cret\r\nContent-Length: 0\r\n\r\n"
    answer, _ = send(answering(moved), "http://127.0.0.1:{port}/h00ks?key=s3cret")
    assert answer.status == 302
    with httpx2.Client(transport=httpx2.MockTransport(lambda _: httpx2.Response(200))) as client:
        client.get("http://127.0.0.1/h00ks?key=s3cret")
    logging.getLogger("some.library").debug("called")
    assert "called" in [line["event"] for line in lines()]
    assert [line for line in lines() if "h00ks" in str(line) or "s3cret" in str(line)] == []


def test_no_password_and_no_address_of_a_failed_login_is_logged(
    call: Callable[..., Caller], world: World
) -> None:
    form = {"username": "ada@example.org", "password": "hunter2 hunter2"}
    with capture_logs() as logged:
        response = call(None)("POST", "/auth/token", data=form)
        call(world.admin).post("/users", {"email": "ada@example.org", "password": "hunter2"})
    assert response.status_code == 400
    assert "hunter2" not in str(logged)
    assert "ada@example.org" not in str(logged)
