"""What pictures cost: cold and warm, by size and by number of points, and the memory of it."""

from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pytest
from pydantic_core import to_json

from app.analytics.pictures.chart import chart
from app.analytics.pictures.panel import Panel
from app.analytics.pictures.rendering import Renderer
from app.analytics.pictures.sheet import Sheet, sheet
from app.analytics.pictures.style import CANVASES
from tests.analytics.pictures.series import document

pytestmark = pytest.mark.bench


def _series(size: int) -> dict[str, Any]:
    values = np.random.default_rng(1).normal(50, 5, size).round(1).tolist()
    settings: dict[str, Any] = {
        "title": "Ready within 48 hours",
        "unit": "%",
        "direction": "increase",
    }
    return document(values, x=[f"{row:05}" for row in range(size)], target=60, **settings)


def _timed(call: Any, *, calls: int = 9) -> tuple[float, float]:
    """Median and least time in milliseconds."""
    times = []
    for _ in range(calls):
        start = perf_counter()
        call()
        times.append((perf_counter() - start) * 1e3)
    return sorted(times)[calls // 2], min(times)


def _resident(process_id: int | str) -> float:
    """Megabytes of a process; Linux only."""
    status = Path(f"/proc/{process_id}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def test_pictures() -> None:
    """How long does a picture take, cold and warm, and how much memory does the renderer hold?

    Size: one chart of 36, 400 and 10,000 points in each size, and a sheet of 24 of 36 points.
    Comparison: the Vega-Lite document alone, made in the server's own process.
    """
    renderer = Renderer()
    start = perf_counter()
    renderer.draw(to_json(chart(_series(36), CANVASES["page"])), "svg")
    print(
        f"\nFirst picture, with the start of the renderer: {(perf_counter() - start) * 1e3:.0f} ms"
    )
    for size in (36, 400, 10_000):
        made = _series(size)
        for name, canvas in CANVASES.items():
            small = name == "thumbnail"
            spec = to_json(chart(made, canvas, is_thumbnail=small))
            row = {
                "vega-lite": lambda: to_json(chart(made, canvas, is_thumbnail=small)),  # noqa: B023
                "svg": lambda: renderer.draw(spec, "svg"),  # noqa: B023
                "png": lambda: renderer.draw(spec, "png"),  # noqa: B023
            }
            _print(f"{size} points, {name}", {form: _timed(call) for form, call in row.items()})
    panels = [Panel(f"Project {row}", "Outcome", _series(36)) for row in range(24)]
    spec = to_json(sheet(Sheet("Programme", panels)))
    _print(
        "sheet of 24",
        {
            "vega-lite": _timed(lambda: to_json(sheet(Sheet("Programme", panels)))),
            "svg": _timed(lambda: renderer.draw(spec, "svg")),
            "png": _timed(lambda: renderer.draw(spec, "png")),
        },
    )
    process = renderer._process
    assert process is not None
    print(f"  resident: renderer {_resident(process.pid):.0f} MB, tests {_resident('self'):.0f} MB")
    renderer.close()


def _print(title: str, times: dict[str, tuple[float, float]]) -> None:
    shown = "  ".join(
        f"{form} {median:7.1f} ({least:.1f})" for form, (median, least) in times.items()
    )
    print(f"  {title:28} median (least) ms: {shown}")
