"""Whole servers as an operator starts them, each on a database of its own, called over HTTP."""

import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx2 as httpx

from app.access import bootstrap
from app.demo import barnet
from app.identity.passwords import Passwords
from app.kit import migrations
from app.kit.clock import utc_now
from app.kit.db import Database
from tests.calling import API
from tests.chaos.cluster import Cluster
from tests.receivers.receiving import free_port

PASSWORD = "correct horse battery staple"
ADMIN_EMAIL = "admin@b.example"
MEMORY_KIB = 64
PATIENCE_SECONDS = 90.0
T = TypeVar("T")


def until(look: Callable[[], T | None], told: Callable[[], object] = str) -> T:
    """What is seen once it is true. `told` says what stood there when patience ended."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (seen := look()):
        assert time.monotonic() < deadline, f"it never came about: {told()}"
        time.sleep(0.1)  # nothing tells over HTTP that another server has finished
    return seen


def prepared(path: Path, *, with_demonstration: bool) -> Path:
    """A database with a schema and an administrator, for servers to begin with."""
    url = f"sqlite:///{path}"
    migrations.upgrade(url)
    database, passwords = Database(url), Passwords(memory_kib=MEMORY_KIB)
    if with_demonstration:
        barnet.load(database, passwords, password=PASSWORD)
    else:
        with database.transaction() as session:
            bootstrap.create_administrator(
                session,
                passwords=passwords,
                email=ADMIN_EMAIL,
                display_name="Administrator",
                password=PASSWORD,
                now=utc_now(),
            )
    database.dispose()  # the last connection writes its log into the file
    return path


class Server:
    """`openqi serve` with its worker inside, and somebody who is logged in there."""

    def __init__(self, folder: Path, database: Path) -> None:
        """Begin to serve a copy of the database."""
        folder.mkdir()
        port = free_port()
        shutil.copy(database, folder / "openqi.db")
        self.address = f"http://127.0.0.1:{port}"
        environment = {
            "OPENQI_DATABASE_URL": f"sqlite:///{folder / 'openqi.db'}",
            "OPENQI_SIGNING_KEY_FILE": str(folder / "key.pem"),
            "OPENQI_PUBLIC_URL": self.address,
            "OPENQI_PASSWORD_MEMORY_KIB": str(MEMORY_KIB),
            "OPENQI_WEBHOOK_ALLOW_NETS": "127.0.0.0/8",
            "OPENQI_WEBHOOK_ALLOW_HTTP": "true",
            "OPENQI_WEBHOOK_RETRY_SECONDS": "1,1,2,2,5,5,5,5",
            "OPENQI_JOB_LEASE_SECONDS": "3",
            "OPENQI_MAIL_FOLDER": str(folder / "mail"),
            "OPENQI_LOG_LEVEL": "WARNING",
        }
        self._cluster = Cluster(folder, environment, port, workers=0)
        self.client = httpx.Client(base_url=f"{self.address}{API}", timeout=30)
        self.start()

    def start(self) -> None:
        """Start it, for the first time or after it was killed."""
        self._cluster.start("api")

    def wait_until_ready(self) -> None:
        """Until it answers."""
        self._cluster.wait_until_ready()

    def kill(self) -> None:
        """SIGKILL, as a machine that fails."""
        self._cluster.kill("api")

    def close(self) -> None:
        """Leave nothing behind."""
        self.client.close()
        self._cluster.end()

    def log(self) -> str:
        """The end of what it said."""
        return self._cluster.log("api")

    def log_in(self, email: str) -> None:
        """As whoever has the test's password."""
        form = {"username": email, "password": PASSWORD}
        token = self.client.post("/auth/token", data=form).json()["access_token"]
        self.client.headers["Authorization"] = f"Bearer {token}"

    @property
    def token(self) -> str:
        """That of whoever is logged in."""
        return self.client.headers["Authorization"].removeprefix("Bearer ")

    def ok(self, path: str, **params: Any) -> Any:
        """GET that must succeed."""
        answer = self.client.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def items(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """Every row of a list."""
        found: list[dict[str, Any]] = []
        page = self.ok(path, limit=200, **params)
        while True:
            found += page["items"]
            if not page["next_cursor"]:
                return found
            page = self.ok(path, limit=200, cursor=page["next_cursor"], **params)

    def post(self, path: str, body: Any, status: int = 201) -> Any:
        """POST that must be answered so."""
        answer = self.client.post(path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def jobs(self) -> int:
        """How many it has to do, now or later, and events that nobody has followed."""
        text = self.client.get(f"{self.address}/metrics").text
        names = r"^openqi_(?:jobs_(?:due|running|waiting)\{.*\}|events_undispatched) (\S+)$"
        return round(sum(float(number) for number in re.findall(names, text, re.MULTILINE)))

    def events(self) -> list[dict[str, Any]]:
        """The whole feed."""
        found: list[dict[str, Any]] = []
        after, has_more = 0, True
        while has_more:
            page = self.ok("/events", after=after, limit=500)
            after, has_more = page["next_after"], page["has_more"]
            found += page["items"]
        return found


def until_quiet(*servers: Server) -> list[int]:
    """Until none has anything to do and none does anything; how many events each has by then.

    Between two servers work is always somewhere: in the sender's table until the receiver has it in
    its own. So it is looked twice.
    """
    before: list[int] = []

    def is_quiet() -> bool:
        nonlocal before
        working = sum(server.jobs() for server in servers)
        counts = [len(server.events()) for server in servers]
        was, before = before, counts if not working else []
        return bool(was) and was == counts and not working

    until(is_quiet, lambda: [server.jobs() for server in servers])
    return before
