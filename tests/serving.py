"""The application behind a real server on a port of its own, for tests that need the wire."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from app.kit.serving import Server


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """Serve an ASGI application as `openqi serve` does; yields its address.

    The port takes connections from the start; they wait until the application has started.
    """
    # asyncio sends without delay only where the protocol is named: 1 ms a request instead of 45.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    config = uvicorn.Config(app, log_config=None, access_log=False, server_header=False)
    viewers = getattr(getattr(app, "state", None), "viewers", None)
    server = Server(config, before_stop=viewers.stop if viewers else lambda: None)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()
