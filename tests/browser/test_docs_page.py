"""The docs page in a real browser: log in, call the API, see the series; nothing foreign, no script
that the policy of the page would refuse.
"""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.demo.barnet import ADMIN_EMAIL
from tests.browser.conftest import PASSWORD, Site, Watched

pytestmark = pytest.mark.browser
# Chromium would like a password field in a form; Swagger UI has no widget for dates.
HARMLESS = ("verbose: ", "warning: Could not find component: JsonSchema_")
OPERATION = "#operations-spc-get_measure_spc"


def _log_in(page: Page) -> None:
    page.get_by_role("button", name="Authorize").first.click()
    page.fill("#oauth_username", ADMIN_EMAIL)
    page.fill("#oauth_password", PASSWORD)
    page.get_by_role("button", name="Apply given OAuth2 credentials").click()
    expect(page.get_by_role("button", name="Remove authorization")).to_be_visible()
    page.get_by_role("button", name="Close").first.click()


def _execute(page: Page, measure_id: str) -> dict[str, object]:
    page.locator("#operations-tag-spc").click()
    page.locator(f"{OPERATION} .opblock-summary-control").click()
    page.locator(f"{OPERATION} tr[data-param-name=measure_id] input").fill(measure_id)
    page.locator(f"{OPERATION} button.execute").click()
    live = page.locator(f"{OPERATION} .live-responses-table")
    expect(live.locator(".response-col_status").last).to_have_text(re.compile("^200"))
    shown = live.locator(".highlight-code code").first.inner_text()
    document: dict[str, object] = json.loads(shown)
    return document


def test_log_in_and_see_a_series(site: Site, watched: Watched, pictures: Path) -> None:
    page = watched.page
    page.goto(f"{site.address}/")
    expect(page).to_have_url(f"{site.address}/docs")
    expect(page.locator(".info .title")).to_contain_text(site.app.title)
    expect(page.locator(".opblock-tag")).to_have_count(len(site.app.openapi()["tags"]))
    page.screenshot(path=pictures / "docs.png")
    _log_in(page)
    document = _execute(page, site.measure_id)
    assert document["chart"]
    assert document["points"]
    page.locator(f"{OPERATION} .live-responses-table").scroll_into_view_if_needed()
    page.screenshot(path=pictures / "series.png")
    assert [line for line in watched.console if not line.startswith(HARMLESS)] == []
    assert page.evaluate("JSON.stringify(localStorage)") == "{}"
    assert page.evaluate("JSON.stringify(sessionStorage)") == "{}"


def test_a_deep_link_opens_its_operation(site: Site, watched: Watched) -> None:
    watched.page.goto(f"{site.address}/docs#/spc/get_measure_spc")
    block = watched.page.locator(f"{OPERATION}.is-open")
    expect(block).to_be_visible()
    expect(block.get_by_role("button", name="Execute")).to_be_visible()


def test_the_policy_refuses_an_inline_script(site: Site, watched: Watched) -> None:
    """The check above sees something: what is slipped into the page does not run."""
    page = watched.page
    page.goto(f"{site.address}/docs")
    page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.slipped = true";
            document.body.append(script);
        }"""
    )
    assert page.evaluate("window.slipped") is None
    assert any("Content Security Policy" in line for line in watched.console)
