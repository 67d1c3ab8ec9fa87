"""Headless Chromium, the demonstration behind a real server, and pages of two other origins."""

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from app.demo import barnet
from app.kit import migrations
from app.main import OpenQI, create_app
from app.settings import Settings
from tests.serving import serving

PASSWORD = "four quiet herons wading"
FLAGS = [
    "--no-sandbox",  # there is no sandbox for root, which is who runs in a container
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# A busy machine takes its time to draw a page of a megabyte of script.
expect.set_options(timeout=30_000)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@dataclass
class Site:
    """The demonstration as it is served."""

    app: OpenQI
    address: str
    measure_id: str
    front: str
    stranger: str


@dataclass
class Watched:
    """A page, with everything about it that should not have happened."""

    page: Page
    console: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def other_origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], str]]:
    """Serves an empty page on a port of its own, which makes it another origin."""
    folder = tmp_path_factory.mktemp("front")
    page = "<!doctype html><title>Front end</title><link rel=icon href=data:,>"
    (folder / "index.html").write_text(page)
    servers: list[ThreadingHTTPServer] = []

    def start() -> str:
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def site(
    tmp_path_factory: pytest.TempPathFactory,
    settings: Settings,
    other_origin: Callable[[], str],
) -> Iterator[Site]:
    url = f"sqlite:///{tmp_path_factory.mktemp('browser') / 'demo.db'}"
    front, stranger = other_origin(), other_origin()
    migrations.upgrade(url)
    app = create_app(settings.model_copy(update={"database_url": url, "cors_origins": [front]}))
    state = app.state
    measure_id = barnet.load(state.database, state.passwords, password=PASSWORD)
    with serving(app) as address:
        yield Site(app, address, str(measure_id), front, stranger)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = shutil.which("chromium")
    assert executable, "install Debian's package chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    """A fresh page that may speak to this machine only."""
    context = browser.new_context(viewport={"width": 1280, "height": 1600})
    found = Watched(context.new_page())

    def let_through(route: Route) -> None:
        if urlsplit(route.request.url).hostname == "127.0.0.1":
            route.continue_()
        else:
            found.foreign.append(route.request.url)
            route.abort()

    context.route("**/*", let_through)
    found.page.on("console", lambda line: found.console.append(f"{line.type}: {line.text}"))
    found.page.on("pageerror", lambda error: found.console.append(f"pageerror: {error}"))
    yield found
    assert found.foreign == []
    context.close()


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pictures")
