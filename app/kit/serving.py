"""The server: uvicorn, which tells the application that it will stop before it waits for answers.

Its own notice (the end of the lifespan) comes after the last answer has ended, and a stream of
events would never end by itself.
"""

import socket
from collections.abc import Callable

import uvicorn


class Server(uvicorn.Server):
    """Calls `before_stop` in its event loop as soon as it is asked to stop."""

    def __init__(self, config: uvicorn.Config, *, before_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._before_stop = before_stop

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop taking connections, and wait for the answers that are under way."""
        self._before_stop()
        await super().shutdown(sockets=sockets)
