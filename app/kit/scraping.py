"""Metrics on a port of their own, for a process that serves nothing else."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import Any

from prometheus_client import CollectorRegistry, make_wsgi_app, start_http_server

from app.kit.metrics import may_read

Answer = Callable[..., Any]


class NotListening(Exception):
    """The port is taken, or there is no such address here."""


@contextmanager
def listening(
    registry: CollectorRegistry,
    *,
    host: str,
    port: int,
    token: str | None,
    refresh: Callable[[], None],
) -> Iterator[int]:
    """Answer `GET /metrics` meanwhile, to whom the server would; the port, which 0 lets be chosen.

    refresh: reads anew what is old, in a thread; where it fails, the scrape does. Raises
    `NotListening`.
    """
    try:
        # Until ours is set it answers whoever asks, so it begins with nothing to tell.
        server, thread = start_http_server(port, host, registry=CollectorRegistry())
    except OSError as fault:
        where = f"{host}:{port} cannot be listened on ({fault.strerror})"
        raise NotListening(f"{where}; choose another OPENQI_METRICS_PORT") from fault
    server.set_app(_guarded(make_wsgi_app(registry), token, refresh))
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _guarded(tell: Answer, token: str | None, refresh: Callable[[], None]) -> Answer:
    def answer(environ: dict[str, Any], start: Answer) -> Iterable[bytes]:
        headers = {
            name.removeprefix("HTTP_").replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        is_allowed = may_read(token, host=environ["REMOTE_ADDR"], headers=headers)
        if not is_allowed or environ["PATH_INFO"] != "/metrics":
            start("404 Not Found", [])
            return []
        try:
            refresh()
        except (CancelledError, RuntimeError, TimeoutError):  # the loop hangs, or it has ended
            start("503 Service Unavailable", [])
            return []
        found: Iterable[bytes] = tell(environ, start)
        return found

    return answer
