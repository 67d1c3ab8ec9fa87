"""A front end of another origin, as a browser lets it: preflight, ETag, 304, readable errors."""

from collections.abc import Iterator
from typing import Any

import pytest

from app.demo.barnet import ADMIN_EMAIL
from app.kit import dependencies
from tests.browser.conftest import PASSWORD, Site, Watched

pytestmark = pytest.mark.browser
ASK = """async ([address, options]) => {
    const response = await fetch(address, {cache: "no-store", ...options});
    const text = await response.text();
    return {
        status: response.status,
        type: response.headers.get("Content-Type"),
        etag: response.headers.get("ETag"),
        request: response.headers.get("X-Request-ID"),
        body: text ? JSON.parse(text) : null,
    };
}"""


class FrontEnd:
    """A page of its own origin that calls the API."""

    def __init__(self, watched: Watched, origin: str, site: Site) -> None:
        self.page = watched.page
        self.site = site
        self.token: str | None = None
        self.page.goto(f"{origin}/index.html")

    def ask(self, path: str, **options: Any) -> dict[str, Any]:
        headers = dict(options.pop("headers", {}))
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        address = f"{self.site.address}/api/v1{path}"
        found: dict[str, Any] = self.page.evaluate(ASK, [address, {"headers": headers, **options}])
        return found

    def log_in(self) -> None:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        body = f"username={ADMIN_EMAIL}&password={PASSWORD}"
        answer = self.ask("/auth/token", method="POST", headers=form, body=body)
        assert answer["status"] == 200, answer
        self.token = answer["body"]["access_token"]


@pytest.fixture
def front(site: Site, watched: Watched) -> FrontEnd:
    made = FrontEnd(watched, site.front, site)
    made.log_in()
    return made


@pytest.fixture
def crashing_lists(site: Site) -> Iterator[None]:
    def crash() -> None:
        raise RuntimeError

    site.app.dependency_overrides[dependencies.pager] = crash
    yield
    site.app.dependency_overrides.clear()


def test_a_series_is_read_and_then_not_sent_again(front: FrontEnd, site: Site) -> None:
    path = f"/measures/{site.measure_id}/spc"
    first = front.ask(path)
    assert first["status"] == 200
    assert first["body"]["points"]
    assert first["etag"]
    again = front.ask(path, headers={"If-None-Match": first["etag"]})
    assert again["status"] == 304
    assert again["body"] is None


def test_a_change_needs_a_preflight_and_passes(front: FrontEnd, site: Site) -> None:
    path = f"/measures/{site.measure_id}"
    measure = front.ask(path)
    headers = {"Content-Type": "application/merge-patch+json", "If-Match": measure["etag"]}
    changed = front.ask(
        path, method="PATCH", headers=headers, body='{"name": "Seen within a week"}'
    )
    assert changed["status"] == 200, changed
    assert changed["etag"] != measure["etag"]
    stale = front.ask(path, method="PATCH", headers=headers, body='{"name": "Lost"}')
    assert (stale["status"], stale["body"]["code"]) == (412, "revision_mismatch")


def test_errors_can_be_read(front: FrontEnd, watched: Watched) -> None:
    missing = front.ask("/measures/0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e")
    assert missing["type"] == "application/problem+json"
    assert (missing["status"], missing["body"]["code"]) == (404, "not_found")
    front.token = "x"
    refused = front.ask("/me")
    assert (refused["status"], refused["body"]["code"]) == (401, "invalid_token")
    assert refused["request"] == refused["body"]["request_id"]


@pytest.mark.usefixtures("crashing_lists")
def test_a_crash_can_be_read_too(front: FrontEnd) -> None:
    crashed = front.ask("/organisations")
    assert (crashed["status"], crashed["body"]["code"]) == (500, "internal_error")
    assert crashed["request"] == crashed["body"]["request_id"]


def test_an_origin_that_is_not_listed_reads_nothing(site: Site, watched: Watched) -> None:
    stranger = FrontEnd(watched, site.stranger, site)
    with pytest.raises(Exception, match="Failed to fetch"):
        stranger.ask("/meta")
    assert any("CORS policy" in line for line in watched.console)
