"""Processes of the software that are killed without warning and started again."""

import multiprocessing
import os
import sys
import time
from collections.abc import Mapping, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import httpx2 as httpx

START_SECONDS = 60.0
STOP_SECONDS = 30.0
# A server of forks has imported the software once, so that a start takes a moment, not seconds.
_FORKS = multiprocessing.get_context("forkserver")


def run(arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
    """The command line in a process of its own, as an operator starts it."""
    os.environ.update(environment)
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(output, sys.stdout.fileno())
    os.dup2(output, sys.stderr.fileno())
    from app.cli import app

    app(list(arguments))


class Cluster:
    """API servers and workers on one database."""

    def __init__(
        self, folder: Path, environment: Mapping[str, str], port: int, workers: int
    ) -> None:
        self._folder, self._environment, self._port = folder, dict(environment), port
        self._commands = {"api": ["serve", "--port", str(port)]}
        if workers:
            self._commands["api"].append("--no-worker")
        self._commands |= {f"worker {number}": ["worker"] for number in range(1, workers + 1)}
        self._running: dict[str, ForkServerProcess] = {}
        self.kills = 0
        _FORKS.set_forkserver_preload(["app.cli", "app.main", "app.worker", __name__])

    @property
    def names(self) -> list[str]:
        """Every process there should be."""
        return list(self._commands)

    def start(self, name: str) -> None:
        """Start one that does not run."""
        process = _FORKS.Process(
            target=run, args=(self._commands[name], self._environment, self._log(name))
        )
        process.start()
        self._running[name] = process

    def kill(self, name: str) -> None:
        """SIGKILL, as a machine that fails."""
        process = self._running[name]
        assert process.is_alive(), f"{name} ended by itself: {self.log(name)}"
        process.kill()
        process.join(STOP_SECONDS)
        self.kills += 1

    def stop(self) -> dict[str, int | None]:
        """SIGTERM to all; the exit code of each."""
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            process.join(STOP_SECONDS)
        return {name: process.exitcode for name, process in self._running.items()}

    def end(self) -> None:
        """Leave nothing behind."""
        for process in self._running.values():
            process.kill()
            process.join(STOP_SECONDS)

    def wait_until_ready(self) -> None:
        """Until the API answers."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"http://127.0.0.1:{self._port}/health/ready").status_code == 200:
                    return
            except httpx.TransportError:
                assert self._running["api"].is_alive(), self.log("api")
            time.sleep(0.02)  # nothing tells that a port has begun to listen
        raise AssertionError(f"no answer in {START_SECONDS} s: {self.log('api')}")

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def log(self, name: str) -> str:
        """The end of what a process said."""
        return self._log(name).read_text(errors="replace")[-3000:]
