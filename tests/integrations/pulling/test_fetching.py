"""What is sent to the other server, and what each of its answers leads to."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import Session, col, select
from starlette.responses import Response

from app.integrations.actions import ask_for_pulls
from app.integrations.models import Integration, IntegrationState, Platform
from app.integrations.pulling import fetching
from app.jobs.handlers import Dead, Done, Outcome, Retry
from app.kit.clock import utc_now
from app.kit.db import Database
from app.kit.outbound import Policy
from app.projects.models import Project
from app.sharing.models import ReceivedProject
from tests.calling import Caller
from tests.integrations.pulling.conftest import TOKEN, Pull
from tests.integrations.pulling.fetching import fetch, said
from tests.integrations.pulling.other import Other, point
from tests.jobs.draining import waiting
from tests.world import World


def _received(session: Session) -> list[ReceivedProject]:
    return list(session.exec(select(ReceivedProject)))


def test_it_asks_with_the_token_and_only_for_what_is_new(
    session: Session, other: Other, pull: Pull
) -> None:
    assert pull() == [Done()]
    first = other.asked[0]
    assert first.headers["authorization"] == f"Bearer {TOKEN}"
    assert "if-none-match" not in first.headers
    (row,) = _received(session)
    before = row.fetched_at
    assert pull() == [Done()]
    assert other.asked[1].headers["if-none-match"] == f'"{other.revision}"'
    (row,) = _received(session)
    assert row.fetched_at > before
    assert row.received_at < row.fetched_at


def test_without_a_token_it_asks_as_anybody(
    session: Session, integration: Integration, other: Other, pull: Pull
) -> None:
    integration.token = None
    session.add(integration)
    assert pull() == [Done()]
    assert "authorization" not in other.asked[0].headers


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Response(status_code=401), Dead),
        (Response(status_code=403), Dead),
        (Response("<h1>Not here</h1>", 404, media_type="text/html"), Dead),
        (Response('{"code": "elsewhere"}', 404), Dead),
        (Response(status_code=302, headers={"Location": "/elsewhere"}), Dead),
        (Response(status_code=204), Dead),
        (Response(status_code=429), Retry),
        (Response(status_code=500), Retry),
        (Response(status_code=503), Retry),
        (Response("not JSON"), Dead),
        (Response("[" * 100_000), Dead),
        (Response("{}"), Dead),
        (Response(b"\xff\xfe"), Dead),
    ],
)
def test_an_answer_that_tells_nothing_changes_nothing(
    session: Session,
    world: World,
    other: Other,
    pull: Pull,
    answer: Response,
    kind: type[Outcome],
) -> None:
    pull()
    other.renew()
    other.answer = answer
    (outcome,) = pull()
    assert isinstance(outcome, kind)
    (row,) = _received(session)
    assert row.withdrawn_at is None
    assert session.get_one(Project, row.project_id).archived_at is None


@pytest.mark.parametrize(
    "gone", [Response(status_code=410), Response('{"code": "not_found"}', 404)]
)
def test_what_is_gone_is_hidden(session: Session, other: Other, pull: Pull, gone: Response) -> None:
    pull()
    other.answer = gone
    assert pull() == [Done()]
    (row,) = _received(session)
    assert row.withdrawn_at is not None


def test_what_never_came_is_not_missed(session: Session, other: Other, pull: Pull) -> None:
    other.is_withdrawn = True
    assert pull() == [Done()]
    assert _received(session) == []


def _set(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        *steps, last = path.split(".")
        node: Any = document
        for step in steps:
            node = node[int(step) if step.isdigit() else step]
        node[last] = value

    return change


_MEASURE = "measures.0"


@pytest.mark.parametrize(
    "change",
    [
        _set("title", "x" * 201),
        _set("title", "a\x00b"),
        _set("title", None),
        _set("id", "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d99"),
        _set("provenance.project_id", "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d99"),
        _set("provenance.revision", "newest"),
        _set("provenance.revision", f"{10**30}-ab"),
        _set("state", "transcended"),
        _set("tags", ["x"] * 51),
        _set("tags", "x"),
        _set("start_on", "0000-00-00"),
        _set("aim.target_value", 1e300),
        _set("measures", [{}] * 51),
        _set(f"{_MEASURE}.multiplier", -1),
        _set(f"{_MEASURE}.chart", "pie"),
        _set(f"{_MEASURE}.chart", "t"),
        _set(f"{_MEASURE}.rule_set", "none"),
        _set(f"{_MEASURE}.targets", [{"from": "2018-02-01", "value": 1}] * 2),
        _set(f"{_MEASURE}.collection.ends_on", "2018-01-07"),
        _set(f"{_MEASURE}.name", "Patient 943 476 5919" + "x" * 300),
        _set(f"{_MEASURE}.data_points", [point("2018-01-08")] * 2),
        _set(f"{_MEASURE}.data_points", [point("2018-01-08", 61)]),
        _set(f"{_MEASURE}.data_points", [point("2018-01-08", -1)]),
        _set(f"{_MEASURE}.data_points", [point("2018-01-08") | {"value": 3}]),
        _set(f"{_MEASURE}.data_points", [point("2018-01-08") | {"period_end": "2018-01-01"}]),
        _set(f"{_MEASURE}.data_points", [point("2018-01-08") | {"excluded": True}]),
        _set(f"{_MEASURE}.data_points", [point("2018-01-08") | {"note": "943 476 5919"}]),
        _set(f"{_MEASURE}.data_points", [point("2018-01-08", float("nan"))]),
        _set(f"{_MEASURE}.data_points", [point("2018-01-08", 10**400)]),
        _set(f"{_MEASURE}.data_points.0.stratum", "No stratum"),
        _set(f"{_MEASURE}.annotations.0.text", ""),
        _set(f"{_MEASURE}.phases.0.reason", "because"),
        _set("pdsa_cycles.0.cycle_no", 0),
        _set("pdsa_cycles.0.started_at", "2018-03-05T12:00:00"),
        _set("pdsa_cycles.0.started_at", "9999-12-31T23:59:59-12:00"),
    ],
)
def test_a_document_that_breaks_a_rule_is_refused_whole(
    session: Session,
    database: Database,
    other: Other,
    pull: Pull,
    change: Callable[[dict[str, Any]], None],
) -> None:
    projects = len(session.exec(select(Project)).all())
    change(other.document)
    other.answer = Response(json.dumps(other.document))
    message = said(pull())
    assert message.startswith(("The document breaks", "The answer is"))
    assert "943" not in message
    assert len(session.exec(select(Project)).all()) == projects
    assert _received(session) == []
    assert waiting(database, "integration.pull") == 0


def test_what_a_newer_server_adds_is_skipped(session: Session, other: Other, pull: Pull) -> None:
    added = {"of_a_later_day": {"anything": [1, 2, 3]}}
    parts = [
        other.document,
        other.document["aim"],
        other.document["programme"],
        other.document["provenance"],
        other.document["pdsa_cycles"][0],
        other.measure,
        other.measure["collection"],
        *(other.measure[name][0] for name in ("targets", "phases", "annotations", "data_points")),
    ]
    for part in parts:
        part |= added
    assert pull() == [Done()]
    assert len(_received(session)) == 1


def test_an_answer_that_is_too_large_is_not_read(
    session: Session, pull: Pull, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "READ_AT_MOST", 1_000)
    assert "larger than 1,000 bytes" in said(pull())


def test_an_address_that_may_not_be_called_is_not(
    session: Session, database: Database, integration: Integration, other: Other
) -> None:
    ask_for_pulls(session, integration, [other.project_id])
    session.commit()
    (outcome,) = fetch(database, policy=Policy(allow_http=True))
    assert outcome == Dead("The address is not allowed.")
    assert other.asked == []


def test_a_server_that_is_away_is_asked_again(
    session: Session, integration: Integration, pull: Pull
) -> None:
    integration.base_url = "http://127.0.0.1:1024"
    session.add(integration)
    (outcome,) = pull()
    assert isinstance(outcome, Retry)


def test_a_token_that_cannot_be_unsealed_says_so(
    session: Session, integration: Integration, other: Other, pull: Pull
) -> None:
    integration.token = "damaged"
    session.add(integration)
    assert "unsealed" in said(pull())
    assert other.asked == []


@pytest.mark.parametrize(
    "change",
    [
        {"state": IntegrationState.PAUSED},
        {"archived_at": utc_now()},
        {"base_url": None},
        {"platform": Platform.GENERIC},
    ],
)
def test_a_connection_that_does_not_fetch_calls_nobody(
    session: Session, integration: Integration, other: Other, pull: Pull, change: dict[str, Any]
) -> None:
    integration.sqlmodel_update(change)
    session.add(integration)
    assert pull() == [Done()]
    assert other.asked == []


def test_the_catalogue_brings_every_project_and_misses_those_that_are_gone(
    session: Session, database: Database, integration: Integration, other: Other
) -> None:
    def fetch_all() -> list[Outcome]:
        ask_for_pulls(session, integration, [None])
        session.commit()
        outcomes = fetch(database)
        session.expire_all()
        return outcomes

    assert fetch_all() == [Done(), Done()]
    assert other.asked[0].query_params["limit"] == "200"
    assert len(_received(session)) == 1
    other.is_withdrawn = True
    assert fetch_all() == [Done(), Done()]
    (row,) = _received(session)
    assert row.withdrawn_at is not None


def test_a_catalogue_of_many_pages_is_read_to_its_end(
    session: Session,
    database: Database,
    integration: Integration,
    other: Other,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fetching, "PAGES_AT_MOST", 3)
    other.answer = Response('{"items": [], "next_cursor": "more"}')
    ask_for_pulls(session, integration, [None])
    session.commit()
    assert fetch(database) == [Done()]
    assert [request.query_params.get("cursor") for request in other.asked] == [None, "more", "more"]


@pytest.mark.parametrize(
    "body", ["{}", '{"items": 7}', '{"items": [{"project_id": "x"}]}', "not JSON"]
)
def test_what_is_no_catalogue_is_refused(
    session: Session, database: Database, integration: Integration, other: Other, body: str
) -> None:
    other.answer = Response(body)
    ask_for_pulls(session, integration, [None])
    session.commit()
    assert "no catalogue" in said(fetch(database))


def test_nobody_waits_for_a_project_that_was_asked_for_twice(
    session: Session, database: Database, integration: Integration, other: Other
) -> None:
    for _ in range(2):
        ask_for_pulls(session, integration, [other.project_id, None])
    session.commit()
    assert waiting(database, "integration.pull") == 2


def test_the_received_project_is_read_over_http(
    call: Callable[..., Caller], world: World, session: Session, pull: Pull
) -> None:
    pull()
    statement = select(Project).where(col(Project.team_id).is_(None))
    project = session.exec(statement).one()
    caller = call(world.facilitator)
    for path in ("", "/measures", "/pdsa-cycles", "/spc", "/history", "/attainment"):
        assert caller.get(f"/projects/{project.id}{path}").status_code == 200, path
    for measure in caller.ok(f"/projects/{project.id}/measures")["items"]:
        for path in ("", "/data-points", "/phases", "/annotations", "/history"):
            assert caller.get(f"/measures/{measure['id']}{path}").status_code == 200, path
    for cycle in caller.ok(f"/projects/{project.id}/pdsa-cycles")["items"]:
        assert caller.get(f"/pdsa-cycles/{cycle['id']}").status_code == 200
