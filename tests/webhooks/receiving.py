"""A real receiver on 127.0.0.1 that answers as it is told, and the world that delivers to it."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sqlmodel import Session, col, select
from standardwebhooks import Webhook

from app.events.dispatching import dispatcher
from app.events.models import Event
from app.jobs.handlers import Outcome, Outgoing
from app.kit.addresses import networks
from app.kit.db import Database
from app.kit.ids import new_id
from app.kit.outbound import Outbound, Policy
from app.kit.sealing import Sealer
from app.kit.signing import make_secret
from app.webhooks.delivering import deliverer
from app.webhooks.following import follow
from app.webhooks.models import WebhookDelivery, WebhookEndpoint, sealed_for
from tests.exchange import make_event, make_webhook_endpoint
from tests.jobs.draining import drain

LOOPBACK = Policy(networks=tuple(networks(["127.0.0.0/8"])), allow_http=True)
WAITS = (5.0, 300.0, 1_800.0)
Behaviour = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Received:
    """A request as it came."""

    headers: dict[str, str]
    body: bytes

    def verified(self, secret: str) -> Any:
        """The payload, if the independent library accepts it."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass
class Receiver:
    """`behaviours` are used up one by one; the last one stays."""

    behaviours: list[Behaviour] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    url: str = ""
    released: threading.Event = field(default_factory=threading.Event)

    def answers(self, *behaviours: Behaviour) -> None:
        """From now on it answers so."""
        self.behaviours = list(behaviours)

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        """Note the request and answer it."""
        body = request.rfile.read(int(request.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.received.append(Received(headers, body))
        behaviour = self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]
        try:
            behaviour(request)
        except OSError:  # the caller has hung up, as it may
            request.close_connection = True


def status(code: int, body: bytes = b"", **headers: str) -> Behaviour:
    """Answers with a status."""

    def behave(request: BaseHTTPRequestHandler) -> None:
        request.send_response(code)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    return behave


OK = status(204)


def garbage(request: BaseHTTPRequestHandler) -> None:
    """Answers with what is not HTTP."""
    request.wfile.write(b"\x00\xff no protocol of this world\r\n\r\n")


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Serve a receiver in a thread; whoever hangs is released at the end."""
    receiver = Receiver([OK])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receiver.handle(self)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hooks"
    try:
        yield receiver
    finally:
        receiver.released.set()
        server.shutdown()
        thread.join(10)
        server.server_close()


@dataclass
class Post:
    """Dispatches and delivers in a test's transaction, at any instant."""

    database: Database
    session: Session
    sealer: Sealer
    now: datetime
    waits: Sequence[float] = WAITS
    seconds: float = 5.0
    policy: Policy = LOOPBACK

    def endpoint(self, url: str, **over: Any) -> tuple[WebhookEndpoint, str]:
        """An endpoint with a sealed secret, and the secret."""
        secret, row_id = make_secret(), new_id()
        sealed = self.sealer.seal(secret, bound_to=sealed_for(row_id))
        row = make_webhook_endpoint(self.session, id=row_id, url=url, secret=sealed, **over)
        return row, secret

    def happen(self, endpoint: WebhookEndpoint, **over: Any) -> Event:
        """An event of the endpoint's programme, dispatched to the followers."""
        event = make_event(
            self.session, programme_id=endpoint.programme_id, **({"now": self.now} | over)
        )
        self.dispatch()
        return event

    def dispatch(self) -> None:
        """Work off what asks to be dispatched."""

        def heard(session: Session, events: Sequence[Event]) -> None:
            follow(session, events, clock=lambda: self.now)

        drain(self.database, [dispatcher([heard])])

    def deliver(self, after: float = 0) -> list[Outcome]:
        """Send what is due so many seconds later."""
        self.now += timedelta(seconds=after)
        return drain(self.database, [self.handler()], now=self.instant)

    def handler(self) -> Outgoing:
        """The handler of deliveries, at the present instant."""
        return deliverer(
            outbound=Outbound(self.policy),
            sealer=self.sealer,
            waits=self.waits,
            clock=lambda: self.now,
            chance=lambda: 0.5,
            seconds=self.seconds,
        )

    @property
    def instant(self) -> int:
        """The present in Unix milliseconds."""
        return int(self.now.timestamp() * 1000) + 1

    def deliveries(self, endpoint: WebhookEndpoint) -> list[WebhookDelivery]:
        """As they stand in the database."""
        self.session.expire_all()
        statement = select(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint.id)
        order = (col(WebhookDelivery.created_at), col(WebhookDelivery.id))
        return list(self.session.exec(statement.order_by(*order)))

    def again(self, endpoint: WebhookEndpoint) -> WebhookEndpoint:
        """The endpoint as it stands in the database."""
        self.session.expire_all()
        return self.session.get_one(WebhookEndpoint, endpoint.id)
