"""What every answer carries: request id, CORS, security headers; and HEAD beside every GET."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx2 as httpx
import pytest

from app.kit import dependencies
from app.main import OpenQI
from tests.calling import Caller
from tests.contract.operations import SOME_ID
from tests.world import World

ORIGIN = "https://front.example"
MADE_ID = re.compile(r"[0-9a-f]{32}")
# One request for each status that the application gives by itself.
STATUSES: list[tuple[int, str, str, dict[str, Any]]] = [
    (200, "GET", "/organisations", {}),
    (200, "GET", "/health/live", {}),
    (201, "POST", "/organisations", {"json": {"name": "Elm", "kind": "gp_practice"}}),
    (400, "GET", "/organisations?cursor=x", {}),
    (401, "GET", "/organisations", {"headers": {"Authorization": "Bearer x"}}),
    (404, "GET", "/nowhere", {}),
    (404, "GET", f"/organisations/{SOME_ID}", {}),
    (405, "DELETE", "/organisations", {}),
    (413, "POST", "/organisations", {"content": b"x" * 1_100_000}),
    (415, "POST", "/organisations", {"content": b"x"}),
    (422, "GET", "/organisations?limit=0", {}),
    (500, "GET", "/programmes", {}),
]
pytestmark = pytest.mark.parametrize(
    ("status", "method", "path", "options"),
    STATUSES,
    ids=[f"{status}-{method}-{path[:20]}" for status, method, path, _ in STATUSES],
)


@pytest.fixture
def ask(
    app: OpenQI, call: Callable[..., Caller], world: World
) -> Iterator[Callable[..., httpx.Response]]:
    """Asks as the administrator; the list of programmes crashes."""

    async def crash() -> None:
        raise RuntimeError

    admin = call(world.admin)

    def send(method: str, path: str, options: dict[str, Any], **headers: str) -> httpx.Response:
        app.dependency_overrides |= {dependencies.pager: crash} if "programmes" in path else {}
        merged = options | {"headers": {**headers, **options.get("headers", {})}}
        return admin(method, path, **merged)

    yield send
    app.dependency_overrides.clear()


def test_a_request_id_is_made_or_taken(
    ask: Callable[..., httpx.Response],
    status: int,
    method: str,
    path: str,
    options: dict[str, Any],
) -> None:
    made = ask(method, path, options)
    assert made.status_code == status
    assert MADE_ID.fullmatch(made.headers["X-Request-ID"])
    assert made.headers["X-Correlation-ID"] == made.headers["X-Request-ID"]
    given = ask(method, path, options, **{"X-Request-ID": "front-end.42_a"})
    assert given.headers.get_list("X-Request-ID") == ["front-end.42_a"]
    if status >= 400:
        assert given.json()["request_id"] == "front-end.42_a"
    for hostile in ("short", "x" * 129, 'in"jected', "a b c d e f", "id;DROP TABLE"):
        refused = ask(method, path, options, **{"X-Request-ID": hostile})
        assert MADE_ID.fullmatch(refused.headers["X-Request-ID"]), hostile


def test_security_headers(
    ask: Callable[..., httpx.Response],
    status: int,
    method: str,
    path: str,
    options: dict[str, Any],
) -> None:
    headers = ask(method, path, options).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    expected = "no-store" if status >= 400 else "private, no-cache"
    assert headers["Cache-Control"] == expected
    assert "Authorization" in headers["Vary"]
    assert "Server" not in headers


def test_a_listed_origin_may_read_the_answer(
    ask: Callable[..., httpx.Response],
    status: int,
    method: str,
    path: str,
    options: dict[str, Any],
) -> None:
    headers = ask(method, path, options, Origin=ORIGIN).headers
    assert headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "Access-Control-Allow-Credentials" not in headers
    exposed = {name.strip() for name in headers["Access-Control-Expose-Headers"].split(",")}
    assert {"ETag", "Location", "Link", "Retry-After", "X-Request-ID"} <= exposed
    assert "Origin" in headers["Vary"]
    foreign = ask(method, path, options, Origin="https://evil.example").headers
    assert "Access-Control-Allow-Origin" not in foreign


def test_a_preflight_of_the_same_path(
    ask: Callable[..., httpx.Response],
    status: int,
    method: str,
    path: str,
    options: dict[str, Any],
) -> None:
    wanted = {
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type,if-match,idempotency-key",
    }
    allowed = ask("OPTIONS", path.split("?")[0], {}, Origin=ORIGIN, **wanted)
    assert allowed.status_code == 200
    assert allowed.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert method in allowed.headers["Access-Control-Allow-Methods"]
    refused = ask("OPTIONS", path.split("?")[0], {}, Origin="https://evil.example", **wanted)
    assert refused.status_code == 400
    assert "Access-Control-Allow-Origin" not in refused.headers
