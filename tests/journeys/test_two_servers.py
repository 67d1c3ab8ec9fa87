"""Two servers side by side: a project of one is shared, seen at the other, changed, withdrawn.

Each is a real server on a database of its own; only the fetch is run by the test and not by a
worker. The project is one of the Barnet demonstration.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from app.access import bootstrap
from app.demo import barnet
from app.integrations.models import Integration, Platform
from app.integrations.secrets import seal_token
from app.kit import migrations
from app.kit.clock import utc_now
from app.kit.outbound import Policy
from app.main import OpenQI, create_app
from app.settings import Settings
from tests.calling import API
from tests.integrations.pulling.fetching import fetch
from tests.serving import serving

PASSWORD = "correct horse battery staple"
EMAIL = "admin@b.example"
POLICY = Policy(networks=(ip_network("127.0.0.0/8"),), allow_http=True)


@dataclass
class Server:
    """A server with its address, and somebody who is logged in there."""

    app: OpenQI
    address: str
    client: httpx.Client

    def log_in(self, email: str) -> None:
        """As whoever has the test's password."""
        form = {"username": email, "password": PASSWORD}
        token = self.client.post("/auth/token", data=form).json()["access_token"]
        self.client.headers["Authorization"] = f"Bearer {token}"

    def ok(self, path: str, **params: Any) -> Any:
        """GET that must succeed."""
        answer = self.client.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any, status: int = 201) -> Any:
        """POST that must be answered so."""
        answer = self.client.post(path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()


@contextmanager
def _server(settings: Settings, folder: Path, name: str) -> Iterator[Server]:
    url = f"sqlite:///{folder / name}.db"
    migrations.upgrade(url)
    app = create_app(settings.model_copy(update={"database_url": url}))
    with serving(app) as address:
        app.state.settings = settings.model_copy(update={"public_url": address})
        with httpx.Client(base_url=f"{address}{API}", timeout=30) as client:
            yield Server(app, address, client)


@pytest.fixture
def servers(settings: Settings, tmp_path: Path) -> Iterator[tuple[Server, Server]]:
    """A has the demonstration; B has an administrator and an empty programme."""
    with ExitStack() as stack:
        a = stack.enter_context(_server(settings, tmp_path, "a"))
        b = stack.enter_context(_server(settings, tmp_path, "b"))
        barnet.load(a.app.state.database, a.app.state.passwords, password=PASSWORD)
        with b.app.state.database.transaction() as session:
            bootstrap.create_administrator(
                session,
                passwords=b.app.state.passwords,
                email=EMAIL,
                display_name="Administrator of B",
                password=PASSWORD,
                now=utc_now(),
            )
        a.log_in(barnet.ADMIN_EMAIL)
        b.log_in(EMAIL)
        yield a, b


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


def _connect(a: Server, b: Server, programme_id: str) -> str:
    """B's connection to A, with a personal token that somebody made there."""
    body = {"name": "B fetches", "scopes": ["project:read"], "expires_in_days": 30}
    secret = a.post("/auth/tokens", body)["secret"]
    with b.app.state.database.transaction() as session:
        integration = Integration.model_validate(
            {
                "programme_id": programme_id,
                "owner_id": b.ok("/me")["id"],
                "name": "Barnet",
                "platform": Platform.OPENQI,
                "system": "barnet",
                "secret": "unused",
                "base_url": a.address,
            }
        )
        sealer = b.app.state.parts.sealer
        integration.token = seal_token(sealer, integration.id, secret)
        session.add(integration)
        session.flush()
        return str(integration.id)


def _fetch(b: Server, integration_id: str, project_id: str | None = None) -> None:
    """Ask B to fetch, and let it."""
    b.post(f"/integrations/{integration_id}/pulls", {"project_id": project_id}, 202)
    outcomes = fetch(b.app.state.database, sealer=b.app.state.parts.sealer, policy=POLICY)
    assert outcomes
    assert {type(outcome).__name__ for outcome in outcomes} == {"Done"}, outcomes


def _charts(server: Server, project_id: str) -> list[dict[str, Any]]:
    """What the charts of a project print, but for identifiers and the time of the last change."""
    items = server.ok(f"/projects/{project_id}/spc")["items"]
    return [_without(item["spc"], {"id", "as_of", "pdsa_cycle_ids"}) for item in items]


def _without(node: Any, names: set[str]) -> Any:
    if isinstance(node, dict):
        return {name: _without(item, names) for name, item in node.items() if name not in names}
    return [_without(item, names) for item in node] if isinstance(node, list) else node


def _release(a: Server, project_id: str) -> str:
    body = {
        "audience": "network",
        "accept_small_numbers": True,
        "small_numbers_reason": "Synthetic data of fictional practices.",
    }
    identifier: str = a.post(f"/projects/{project_id}/releases", body)["id"]
    return identifier


def test_a_project_is_shared_changed_and_withdrawn(servers: tuple[Server, Server]) -> None:
    a, b = servers
    programme_id = _programme(b)
    integration_id = _connect(a, b, programme_id)
    shared = a.ok("/projects")["items"][0]

    _fetch(b, integration_id)
    assert b.ok("/projects")["items"] == []  # nothing is released yet

    release_id = _release(a, shared["id"])
    _fetch(b, integration_id)
    (received,) = b.ok("/projects")["items"]
    assert received["title"] == shared["title"]
    assert received["aim_statement"] == shared["aim_statement"]
    assert received["state"] == shared["state"]
    assert received["provenance"]["source"] == a.address
    assert received["provenance"]["source_project_id"] == shared["id"]
    assert received["provenance"]["source_release_id"] == release_id
    assert received["provenance"]["license"] == "CC-BY-4.0"
    charts = _charts(a, shared["id"])
    assert len(charts) >= 3
    assert _charts(b, received["id"]) == charts
    titles = {item["title"] for item in a.ok(f"/projects/{shared['id']}/pdsa-cycles")["items"]}
    there = b.ok(f"/projects/{received['id']}/pdsa-cycles")["items"]
    assert {item["title"] for item in there} == titles

    measures = a.ok(f"/projects/{shared['id']}/measures")["items"]
    point = {"period_start": "2018-10-01", "numerator": 58, "denominator": 60}
    proportion = next(item for item in measures if item["data_type"] == "proportion")
    a.post(f"/measures/{proportion['id']}/data-points", point)
    assert _charts(b, received["id"]) == charts
    _fetch(b, integration_id, shared["id"])
    changed = _charts(b, received["id"])
    assert changed == _charts(a, shared["id"])
    assert changed != charts

    for refused in (
        b.client.patch(
            f"/projects/{received['id']}", json={"title": "Ours"}, headers={"If-Match": "*"}
        ),
        b.client.delete(f"/projects/{received['id']}"),
    ):
        assert refused.status_code == 409
        assert refused.json()["code"] == "received_read_only"
    again = b.client.post(f"/projects/{received['id']}/releases", json={"audience": "public"})
    assert again.json()["code"] == "received_project"

    a.post(f"/releases/{release_id}/withdraw", {"reason": "Enough was learned."}, 200)
    _fetch(b, integration_id)
    assert b.ok("/projects")["items"] == []
    hidden = b.ok(f"/projects/{received['id']}")
    assert hidden["archived_at"] is not None
    assert hidden["visibility"] == "team"
    assert hidden["provenance"]["withdrawn_at"] is not None

    _release(a, shared["id"])
    _fetch(b, integration_id)
    (back,) = b.ok("/projects")["items"]
    assert back["id"] == received["id"]
    assert back["provenance"]["withdrawn_at"] is None
    assert _charts(b, received["id"]) == changed
