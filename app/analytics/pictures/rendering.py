"""Pictures of Vega-Lite documents, drawn by one process beside the server that starts when the
first picture is asked for. One at a time; a few may wait, and the next is told to come later."""

import atexit
import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from app.kit.errors import Unavailable

Form = Literal["svg", "png"]
_PROGRAM = Path(__file__).with_name("renderer.py")
MOST_WAITING = 6  # with the one that is drawn; the server has more threads than that
PATIENCE_SECONDS = 5.0
LONGEST_SECONDS = 15.0  # then the process is ended, and the next picture starts another
LARGEST_KEPT = 100_000  # bytes of a document; of a few hundred points
_INHERITED = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "FONTCONFIG_FILE")


class NotDrawn(RuntimeError):
    """The renderer refused a document: a fault of ours, whose message is logged as a 500."""


class Renderer:
    """The process and its turns."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._turn = threading.Lock()
        self._places = threading.BoundedSemaphore(MOST_WAITING)

    def draw(self, document: bytes, form: Form, scale: float = 1.0) -> bytes:
        """The picture. Raises `Unavailable` (503) where too many wait or it takes too long."""
        if not self._places.acquire(blocking=False):
            raise Unavailable("Many pictures are asked for; try again soon.")
        try:
            if not self._turn.acquire(timeout=PATIENCE_SECONDS):
                raise Unavailable("Many pictures are asked for; try again soon.")
            try:
                return self._ask(document, form, scale)
            finally:
                self._turn.release()
        finally:
            self._places.release()

    def close(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(OSError):
                        pipe.close()

    def _ask(self, document: bytes, form: Form, scale: float) -> bytes:
        process = self._running()
        limit = threading.Timer(LONGEST_SECONDS, process.kill)
        limit.start()
        try:
            return _exchange(process, document, {"format": form, "scale": scale})
        except (OSError, EOFError, ValueError) as fault:  # the pipe is out of step, or closed
            self.close()
            raise Unavailable("The picture took too long; ask for fewer points.") from fault
        finally:
            limit.cancel()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.close()
            # Isolated and with an environment of its own: it needs no secret of the server.
            environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-I", str(_PROGRAM)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment | {"TZ": "UTC", "LANG": "C.UTF-8"},
                start_new_session=True,  # Ctrl-C is for the server; the end of its input ends it
            )
        return self._process


def _exchange(process: subprocess.Popen[bytes], document: bytes, request: dict[str, Any]) -> bytes:
    requests, answers = process.stdin, process.stdout
    if requests is None or answers is None:
        raise EOFError
    head = json.dumps(request | {"size": len(document)}).encode()
    requests.write(head + b"\n" + document)
    requests.flush()
    line = answers.readline()
    if not line:
        raise EOFError
    answer = json.loads(line)
    content = answers.read(answer["size"])
    if len(content) < answer["size"]:
        raise EOFError
    if not answer["ok"]:
        raise NotDrawn(content.decode())
    return content


renderer = Renderer()
atexit.register(renderer.close)


def render(document: bytes, form: Form, scale: float = 1.0) -> bytes:
    """The picture of a document; the last few are kept, for a dashboard asks for them again."""
    if len(document) > LARGEST_KEPT:
        return renderer.draw(document, form, scale)
    return _kept(document, form, scale)


@lru_cache(maxsize=32)
def _kept(document: bytes, form: Form, scale: float) -> bytes:
    return renderer.draw(document, form, scale)
