"""Processes of the software that are killed without warning and started again."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx2 as httpx

ROOT = Path(__file__).parents[2]
START_SECONDS = 60.0


class Cluster:
    """API servers and workers on one database, as an operator starts them."""

    def __init__(self, folder: Path, environment: dict[str, str], port: int, workers: int) -> None:
        self._folder, self._port = folder, port
        self._environment = {**os.environ, **environment}
        self._commands = {"api": ["serve", "--port", str(port)]}
        if workers:
            self._commands["api"].append("--no-worker")
        self._commands |= {f"worker {number}": ["worker"] for number in range(1, workers + 1)}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.kills = 0

    @property
    def names(self) -> list[str]:
        """Every process there should be."""
        return list(self._commands)

    def start(self, name: str) -> None:
        """Start one that does not run."""
        with (self._folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", "app", *self._commands[name]],
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    def kill(self, name: str) -> None:
        """SIGKILL, as a machine that fails."""
        process = self._running[name]
        assert process.poll() is None, f"{name} ended by itself: {self.log(name)}"
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        self.kills += 1

    def stop(self) -> dict[str, int]:
        """SIGTERM to all; the exit code of each."""
        running = {name: p for name, p in self._running.items() if p.poll() is None}
        for process in running.values():
            process.terminate()
        return {name: process.wait(30) for name, process in running.items()}

    def end(self) -> None:
        """Leave nothing behind."""
        for process in self._running.values():
            if process.poll() is None:
                process.kill()
            process.wait(10)

    def wait_until_ready(self) -> None:
        """Until the API answers."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"http://127.0.0.1:{self._port}/health/ready").status_code == 200:
                    return
            except httpx.TransportError:
                assert self._running["api"].poll() is None, self.log("api")
                time.sleep(0.05)  # nothing tells that a port has begun to listen
        raise AssertionError(f"no answer in {START_SECONDS} s: {self.log('api')}")

    def log(self, name: str) -> str:
        """The end of what a process said."""
        return (self._folder / f"{name}.log").read_text(errors="replace")[-3000:]
