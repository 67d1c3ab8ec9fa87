"""Metrics on a port of their own: read anew, told to whom they may be, and the port given back."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx2 as httpx
import pytest
from prometheus_client import CollectorRegistry, Gauge

from app.kit.scraping import NotListening, listening


class _Asked:
    """Counts how often it was told to read anew; fails as it is told."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.count, self.fault = 0, fault
        self.registry = CollectorRegistry()
        Gauge("read", "How often.", registry=self.registry).set_function(lambda: self.count)

    def refresh(self) -> None:
        self.count += 1
        if self.fault is not None:
            raise self.fault


@contextmanager
def _listening(asked: _Asked, token: str | None = None) -> Iterator[str]:
    with listening(
        asked.registry, host="127.0.0.1", port=0, token=token, refresh=asked.refresh
    ) as port:
        yield f"http://127.0.0.1:{port}/metrics"


def test_every_scrape_reads_anew() -> None:
    with _listening(_Asked()) as address:
        for number in (1, 2):
            answer = httpx.get(address)
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith("text/plain; version=")
            assert f"read {number}.0" in answer.text


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_what_a_proxy_forwards_is_not_local(header: str) -> None:
    asked = _Asked()
    with _listening(asked) as address:
        answer = httpx.get(address, headers={header: "127.0.0.1"})
    assert (answer.status_code, asked.count) == (404, 0)


def test_with_a_token_only_who_knows_it_may_read() -> None:
    asked = _Asked()
    with _listening(asked, token="s3cret") as address:
        for wrong in (None, "Bearer s3cre", "Bearer", "s3cret", "Bearer s3cret2"):
            headers = {"Authorization": wrong} if wrong else {}
            assert httpx.get(address, headers=headers).status_code == 404
        assert asked.count == 0
        forwarded = {"Authorization": "Bearer s3cret", "X-Forwarded-For": "10.1.2.3"}
        assert httpx.get(address, headers=forwarded).status_code == 200


def test_old_figures_are_not_shown() -> None:
    """Where they cannot be read anew, the process is not well: its scrape fails."""
    for fault in (TimeoutError(), RuntimeError("the loop has ended")):
        with _listening(_Asked(fault)) as address:
            answer = httpx.get(address)
        assert (answer.status_code, answer.text) == (503, "")


def test_nothing_but_metrics_is_there() -> None:
    with _listening(_Asked()) as address:
        assert httpx.get(address.removesuffix("/metrics")).status_code == 404


def test_the_port_is_given_back() -> None:
    def bound(port: int) -> socket.socket:
        return socket.create_server(("127.0.0.1", port))

    with _listening(_Asked()) as address:
        port = int(address.rsplit(":", 1)[1].removesuffix("/metrics"))
        with pytest.raises(OSError, match="in use"):
            bound(port)
        with pytest.raises(NotListening, match=f"127.0.0.1:{port} cannot .* in use"):
            _serve_at(port)
    bound(port).close()


def _serve_at(port: int) -> None:
    read: Callable[[], None] = _Asked().refresh
    with listening(CollectorRegistry(), host="127.0.0.1", port=port, token=None, refresh=read):
        raise AssertionError("the port was taken")
