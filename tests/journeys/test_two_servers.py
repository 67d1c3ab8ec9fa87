"""Two servers tell each other: a project of one is seen at the other, changes there, goes again.

Each is a process with its worker inside. Only webhooks of the one set the other to work; nobody
asks for anything but over HTTP. The project is one of the Barnet demonstration.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.demo import barnet
from app.kit.clock import utc_now
from tests.journeys.servers import ADMIN_EMAIL, Server, prepared, until, until_quiet

PAGE = Path(__file__).parents[2] / "docs" / "integrations.md"
TOLD = [
    *("release.*", "programme.*", "project.*", "measure.*", "data_point.*"),
    *("phase.*", "annotation.*", "pdsa_cycle.*"),
]

# A message may come when the fetch that an earlier one asked for has brought its change already.
BROUGHT = {"applied", "unchanged"}


@dataclass
class Pair:
    """A has the demonstration and tells B. B tells A too, of what is its own and of all."""

    a: Server
    b: Server
    home: str  # the programme of A
    away: str  # that of B, which receives
    integration: str  # of B, which hears A
    hearing: str  # of A, which hears all of B
    quiet: str  # the endpoint of B that leaves out what came from A
    loud: str  # the one that leaves out nothing

    def received(self, shared: dict[str, Any]) -> dict[str, Any] | None:
        """B's project that stands for one of A, once it is there."""
        found = self.b.items("/projects", programme_id=self.away)
        of = [row for row in found if row["provenance"]["source_project_id"] == shared["id"]]
        assert len(of) < 2
        return of[0] if of else None

    def log(self, shared: dict[str, Any]) -> list[dict[str, Any]]:
        """What B has heard of a project since the test began."""
        lines = self.b.items(f"/integrations/{self.integration}/events", since=shared["since"])
        return [line for line in lines if line["subject"] == shared["id"].replace("-", "")]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """One for all tests, since a process takes seconds to start: each test has its own project."""
    folder = tmp_path_factory.mktemp("servers")
    of_a = prepared(folder / "a.db", with_demonstration=True)
    of_b = prepared(folder / "b.db", with_demonstration=False)
    with (
        closing(Server(folder / "a", of_a)) as a,
        closing(Server(folder / "b", of_b)) as b,
    ):
        for server, email in ((a, barnet.ADMIN_EMAIL), (b, ADMIN_EMAIL)):
            server.wait_until_ready()
            server.log_in(email)
        until_quiet(a, b)  # the story of A is told to nobody before B hears
        (home,) = (row["id"] for row in a.items("/programmes"))
        away = _programme(b)
        integration, _ = _connect(a, b, told_of=home, heard_in=away)
        # A typed address may end in a slash; that is the same server.
        _, quiet = _connect(b, a, told_of=away, heard_in=home, not_from=f"{a.address}/")
        hearing, loud = _connect(b, a, told_of=away, heard_in=home)
        yield Pair(a, b, home, away, integration, hearing, quiet, loud)


def _free(a: Server) -> dict[str, Any]:
    rows = (row for row in a.items("/projects") if row["visibility"] == "team")
    return next(row for row in rows if _charts(a, row["id"]))


@pytest.fixture
def shared(pair: Pair) -> Iterator[dict[str, Any]]:
    """A project of A that is not released, and has data; `since` is the present."""
    project = _free(pair.a) | {"since": utc_now().isoformat()}
    yield project
    for release in pair.a.items(f"/projects/{project['id']}/releases", state="published"):
        pair.a.post(f"/releases/{release['id']}/withdraw", {"reason": "The test ends."}, 200)
    until(lambda: pair.received(project) is None, pair.b.log)


def _programme(b: Server) -> str:
    organisations = [
        b.post("/organisations", {"name": name, "kind": "nhs_trust"})["id"]
        for name in ("Commissioner of B", "Provider of B")
    ]
    body = {
        "title": "Learning from others",
        "commissioner_org_id": organisations[0],
        "provider_org_id": organisations[1],
        "starts_on": "2018-01-01",
        "ends_on": "2019-12-31",
        "rule_set": "nelson",  # A's charts are judged as at A all the same
    }
    identifier: str = b.post("/programmes", body)["id"]
    return identifier


def _connect(
    teller: Server, hearer: Server, *, told_of: str, heard_in: str, **endpoint: Any
) -> tuple[str, str]:
    """Have one server hear what happens in a programme of the other; integration and endpoint.

    The endpoint makes the secret, and the integration takes it.
    """
    body = {"name": "The other reads", "scopes": ["project:read"], "expires_in_days": 30}
    integration = hearer.post(
        "/integrations",
        {
            "programme_id": heard_in,
            "name": "The other server",
            "platform": "openqi",
            "system": "other-openqi",
            "base_url": teller.address,
            "token": teller.post("/auth/tokens", body)["secret"],
        },
    )
    path = f"/integrations/{integration['id']}"
    made = teller.post(
        "/webhook-endpoints",
        {
            "programme_id": told_of,
            "url": f"{hearer.address}/api/v1{path}/events",
            "event_types": TOLD,
            **endpoint,
        },
    )
    rotation = {"secret": made["secret"], "old_ends_now": True}
    hearer.post(f"{path}/rotate-secret", rotation, 200)
    return integration["id"], made["id"]


def _release(a: Server, project_id: str) -> str:
    body = {
        "audience": "network",
        "accept_small_numbers": True,
        "small_numbers_reason": "Synthetic data of fictional practices.",
    }
    identifier: str = a.post(f"/projects/{project_id}/releases", body)["id"]
    return identifier


def _charts(server: Server, project_id: str) -> list[dict[str, Any]]:
    """What the charts of a project print, but for identifiers and the time of the last change."""
    items = server.ok(f"/projects/{project_id}/spc")["items"]
    return [_without(item["spc"], {"id", "as_of", "pdsa_cycle_ids"}) for item in items]


def _without(node: Any, names: set[str]) -> Any:
    if isinstance(node, dict):
        return {name: _without(item, names) for name, item in node.items() if name not in names}
    return [_without(item, names) for item in node] if isinstance(node, list) else node


def _correct(a: Server, project_id: str, number: int) -> str:
    """Another number in the first point of the first measure; that measure."""
    measure: str = a.items(f"/projects/{project_id}/measures")[0]["id"]
    point = a.ok(f"/measures/{measure}/data-points")["items"][0]
    field = "value" if point["numerator"] is None else "numerator"
    answer = a.client.patch(
        f"/data-points/{point['id']}", json={field: number}, headers={"If-Match": "*"}
    )
    assert answer.status_code == 200, answer.text
    return measure


def test_a_project_is_shared_changed_and_withdrawn(pair: Pair, shared: dict[str, Any]) -> None:
    a, b = pair.a, pair.b
    release_id = _release(a, shared["id"])
    received = until(lambda: pair.received(shared), b.log)
    for name in ("title", "aim_statement", "state"):
        assert received[name] == shared[name]
    assert received["provenance"]["source"] == a.address
    assert received["provenance"]["source_project_id"] == shared["id"]
    assert received["provenance"]["source_release_id"] == release_id
    assert received["provenance"]["license"] == "CC-BY-4.0"
    charts = _charts(a, shared["id"])
    assert len(charts) >= 3
    assert _charts(b, received["id"]) == charts
    cycles = {item["title"] for item in a.items(f"/projects/{shared['id']}/pdsa-cycles")}
    there = b.items(f"/projects/{received['id']}/pdsa-cycles")
    assert {item["title"] for item in there} == cycles

    path = f"/projects/{received['id']}"
    for refused in (
        b.client.patch(path, json={"title": "Ours"}, headers={"If-Match": "*"}),
        b.client.delete(path),
        b.client.post(f"{path}/measures", json={"name": "x"} | _MEASURE),
    ):
        assert refused.status_code == 409, refused.text
        assert refused.json()["code"] == "received_read_only"
    again = b.client.post(f"{path}/releases", json={"audience": "public"})
    assert again.json()["code"] == "received_project"

    measure = _correct(a, shared["id"], 3)
    _mark(a, shared["id"], measure)
    changed = _charts(a, shared["id"])
    assert changed != charts
    until(lambda: _charts(b, received["id"]) == changed, b.log)
    until_quiet(a, b)
    log = pair.log(shared)
    assert {"applied"} <= {line["outcome"] for line in log} <= BROUGHT, log
    assert {line["code"] for line in log} == {None}
    assert {line["resource_id"] for line in log} == {received["id"]}
    assert {line["type"] for line in log} >= {
        *("release.published", "project.updated", "data_point.corrected"),
        *("data_point.recorded", "data_point.excluded", "annotation.created", "phase.created"),
        *("pdsa_cycle.created", "measure.updated"),
    }

    a.post(f"/releases/{release_id}/withdraw", {"reason": "Enough was learned."}, 200)
    until(lambda: pair.received(shared) is None, b.log)
    hidden = b.ok(path)
    assert hidden["archived_at"] is not None
    assert hidden["visibility"] == "team"
    assert hidden["provenance"]["withdrawn_at"] is not None

    _release(a, shared["id"])
    back = until(lambda: pair.received(shared), b.log)
    assert back["id"] == received["id"]
    assert back["provenance"]["withdrawn_at"] is None
    assert _charts(b, received["id"]) == changed


_MEASURE = {"family": "process", "data_type": "count", "direction": "decrease"}


def _mark(a: Server, project_id: str, measure: str) -> None:
    """One of everything else that the document of a project holds."""
    path, period = f"/measures/{measure}", "2018-10-01"
    is_ratio = a.ok(path)["data_type"] == "proportion"
    numbers = {"numerator": 3, "denominator": 80} if is_ratio else {"value": 3}
    points = {"items": [{"period_start": period} | numbers]}
    a.post(f"{path}/data-points/bulk", points, 200)
    a.post(f"{path}/exclusions", {"periods": [period], "reason": "A flood."}, 200)
    a.post(f"{path}/annotations", {"happened_on": "2018-03-01", "kind": "event", "text": "Snow"})
    a.post(f"/projects/{project_id}/pdsa-cycles", {"title": "Again", "purpose": "test_change"})
    a.post(f"{path}/phases", {"starts_on": "2018-09-03", "reason": "change_adopted"})
    body = {"unit": "per cent", "definition_change_reason": "As it is spoken."}
    answer = a.client.patch(path, json=body, headers={"If-Match": "*"})
    assert answer.status_code == 200, answer.text


def test_a_server_that_is_killed_in_between_is_caught_up_with(
    pair: Pair, shared: dict[str, Any]
) -> None:
    a, b = pair.a, pair.b
    _release(a, shared["id"])
    received = until(lambda: pair.received(shared), b.log)
    _correct(a, shared["id"], 4)
    changed = _charts(a, shared["id"])
    _correct(a, shared["id"], 5)
    a.kill()
    a.start()
    a.wait_until_ready()
    assert _charts(a, shared["id"]) != changed
    until(lambda: _charts(b, received["id"]) == _charts(a, shared["id"]), b.log)

    def corrections() -> list[str]:
        log = pair.log(shared)
        return [line["outcome"] for line in log if line["type"] == "data_point.corrected"]

    until(lambda: len(corrections()) == 2 and set(corrections()) <= BROUGHT, b.log)
    until_quiet(a, b)
    assert len(corrections()) == 2  # a repeated delivery has no line of its own


def test_what_came_from_a_server_is_not_told_to_it_again(
    pair: Pair, shared: dict[str, Any]
) -> None:
    a, b = pair.a, pair.b
    until_quiet(a, b)
    before = len(a.events())
    _release(a, shared["id"])
    until(lambda: pair.received(shared), b.log)
    _correct(a, shared["id"], 6)
    counts = until_quiet(a, b)

    new = a.events()[before:]  # what somebody did at A, and nothing that came back
    assert all("origin" not in event["data"] for event in new)
    types = {event["type"] for event in new if ".signal_" not in event["type"]}
    assert types == {"data_point.corrected", "project.updated", "release.published"}
    data = (event for event in b.events() if event["data"]["programme_id"] == pair.away)
    mine = [event for event in data if "project_id" in event["data"]]
    assert {event["type"] for event in mine} >= {"project.created", "data_point.recorded"}
    assert {event["data"].get("origin") for event in mine} == {a.address}  # signals too
    assert b.items("/webhook-deliveries", endpoint_id=pair.quiet) == []
    told = b.items("/webhook-deliveries", endpoint_id=pair.loud)
    assert {row["state"] for row in told} == {"succeeded"}
    log = a.items(f"/integrations/{pair.hearing}/events")
    assert len(log) == len(told) >= len(mine)
    assert {(line["outcome"], line["code"]) for line in log} == {("ignored", "own_event")}
    assert until_quiet(a, b) == counts


def test_the_command_lines_of_the_page_connect_two_servers(
    pair: Pair, shared: dict[str, Any]
) -> None:
    """Into another programme of B, whose connection ends with the test."""
    a, b = pair.a, pair.b
    programme = _programme(b)
    references, two = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    named = {
        **{"A": a.address, "TOKEN_A": a.token, "PROGRAMME_A": pair.home, "PROJECT_A": shared["id"]},
        **{"B": b.address, "TOKEN_B": b.token, "PROGRAMME_B": programme},
    }
    _run(two, named)
    (received,) = until(lambda: b.items("/projects", programme_id=programme), b.log)
    assert received["title"] == shared["title"]
    (connection,) = b.items("/integrations", programme_id=programme)
    _correct(a, shared["id"], 7)
    until(lambda: _charts(b, received["id"]) == _charts(a, shared["id"]), b.log)
    until_quiet(a, b)
    log = b.items(f"/integrations/{connection['id']}/events")
    assert {"applied"} <= {line["outcome"] for line in log} <= BROUGHT, log

    own = b.post(f"/programmes/{programme}/projects", {"title": "Of B"})
    said = _run(references, named | {"PROJECT_B": own["id"]})
    assert said.count(own["id"]) >= 2
    assert "P-17" in said

    assert b.client.delete(f"/integrations/{connection['id']}").status_code == 204
    for endpoint in a.items("/webhook-endpoints"):
        if connection["id"] in endpoint["url"]:
            assert a.client.delete(f"/webhook-endpoints/{endpoint['id']}").status_code == 204


def _run(script: str, named: dict[str, str]) -> str:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env=os.environ | named,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
