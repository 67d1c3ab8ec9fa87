"""A crash at any begin, statement or commit loses nothing and invents nothing."""

import json
import subprocess
import sys

from app.kit.db import Database
from tests.jobs.process import ROOT


def test_a_crash_at_every_point(live: Database, live_url: str) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "tests.jobs.failpoints", live_url],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    stories = json.loads(told.stdout)
    assert {name: story["faults"] for name, story in stories.items() if story["faults"]} == {}
    points = {name: story["points"] for name, story in stories.items()}
    assert len(points) == 7
    assert min(points.values()) >= 5, points
