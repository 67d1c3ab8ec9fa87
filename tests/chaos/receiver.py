"""A subscriber that fails often and by plan, and keeps what it was told."""

import hashlib
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

IN_A_ROW = 3  # fewer than open a circuit breaker


class FailingReceiver:
    """Answers 500 or hangs up on the first attempts of some messages, never too often in a row."""

    def __init__(self, *, failing: float) -> None:
        self.accepted: Counter[str] = Counter()  # webhook-id: how often it was answered with 200
        self.attempts: Counter[str] = Counter()
        self._failing, self._failures = failing, 0
        self._lock = threading.Lock()

    def decide(self, message_id: str) -> int:
        """The status of the next attempt, 0 to hang up; the same plan in every run."""
        with self._lock:
            self.attempts[message_id] += 1
            draw = hashlib.sha256(f"{message_id[-8:]}{self.attempts[message_id]}".encode()).digest()
            if draw[0] / 256 < self._failing and self._failures < IN_A_ROW:
                self._failures += 1
                return 500 if draw[1] % 2 else 0
            self._failures = 0
            self.accepted[message_id] += 1
            return 200

    @property
    def duplicates(self) -> int:
        """Messages that were accepted more than once, counted each time beyond the first."""
        return sum(times - 1 for times in self.accepted.values())

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Listen on a port of its own; yields the address."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                status = receiver.decide(self.headers["webhook-id"])
                if not status:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """A sender that was killed in the middle is what this is about."""

        server = Server(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hook"
        finally:
            server.shutdown()
            server.server_close()
