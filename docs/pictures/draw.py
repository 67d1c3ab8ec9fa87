"""Draws the pictures of docs/spc.md with the software itself (make pictures)

The data are those of the demonstration and of the reference cases of the tests, so a picture
changes only with the software. Run from the root of the repository.
"""

import json
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from app import spc  # noqa: E402 - the root must be on the path first
from app.analytics.comparisons.plots import representations as comparisons  # noqa: E402
from app.analytics.pictures.representations import represent  # noqa: E402
from app.analytics.pictures.schemas import SVG, PictureQuery  # noqa: E402
from app.demo.project_stories import PROJECTS, MeasureStory  # noqa: E402
from app.demo.synthetic import weekly_points  # noqa: E402
from app.spc.cusum import CusumSettings, cusum  # noqa: E402
from app.spc.ewma import EwmaSettings, ewma  # noqa: E402
from app.spc.funnel import funnel  # noqa: E402
from app.spc.pareto import Category, ParetoSettings, pareto  # noqa: E402
from app.spc.units import FunnelSettings, Unit  # noqa: E402

LARGEST = 60_000  # bytes


def story(name: str) -> MeasureStory:
    """A measure of the demonstration by its name."""
    found = [each for project in PROJECTS for each in project.measures if each.name == name]
    return found[0]


def of_demo(name: str, chart: str, weeks: int | None = None, **chosen: Any) -> dict[str, Any]:
    """The document of a measure of the demonstration, charted as is said."""
    measure = story(name)
    points = weekly_points(measure)[:weeks]
    excluded = chosen.pop("excluded", ())
    missing = chosen.pop("missing", ())
    series = spc.Series(
        [point["period_start"].isoformat() for point in points],
        values=_column(points, "value", missing),
        numerators=_column(points, "numerator", missing),
        denominators=_column(points, "denominator", missing),
        excluded=[row in excluded for row in range(len(points))],
    )
    settings = {
        "direction": measure.direction,
        "title": measure.name,
        "unit": measure.unit,
        "multiplier": measure.multiplier,
        "target": measure.target,
    }
    return _document(series, chart, settings | chosen)


def of_case(case: str, chart: str, **chosen: Any) -> dict[str, Any]:
    """The document of a reference case, week by week, charted as is said."""
    path = next((ROOT / "tests" / "spc" / "cases").glob(f"{case.removeprefix('dev-')[:-4]}.json"))
    found = next(each for each in json.loads(path.read_text())["cases"] if each["id"] == case)
    points = found["request"]["points"]
    settings: dict[str, Any] = {"direction": "neutral"} | chosen
    labels = [point["x"] for point in points]
    if settings.pop("weekly", False):
        labels = [
            (date(2018, 1, 1) + timedelta(weeks=row)).isoformat() for row in range(len(labels))
        ]
    groups = [point.get("values") for point in points]
    series = spc.Series(
        labels,
        values=_column(points, "value"),
        numerators=_column(points, "numerator"),
        denominators=_column(points, "denominator"),
        excluded=[point.get("excluded", False) for point in points],
        subgroups=groups if any(group is not None for group in groups) else None,
    )
    return _document(series, chart, settings)


def _column(points: list[dict[str, Any]], field: str, missing: Any = ()) -> list[Any] | None:
    if not any(field in point for point in points):
        return None
    return [None if row in missing else point.get(field) for row, point in enumerate(points)]


def _document(series: spc.Series, chart: str, settings: dict[str, Any]) -> dict[str, Any]:
    annotations = settings.pop("annotations", None)
    drawn = spc.chart(series, spc.Settings(chart, **settings))
    return {"as_of": None} | spc.document(drawn, annotations=annotations)


def pictures() -> Iterator[tuple[str, dict[str, Any]]]:
    """File names without ending, and documents."""
    ready = "Ready within 48 hours"
    yield "frozen", of_demo(ready, "p", baseline_points=13)
    labels = ["As found", "Signing slot", "Slot guarded"]
    yield "phases", of_demo(ready, "p", phase_starts=[13, 18], phase_labels=labels)
    yield "short", of_demo(ready, "p", weeks=8)
    yield "missed", of_demo("Appointments missed", "p")
    yield "run", of_demo("Requests that came online", "run", target=None)
    yield (
        "gaps",
        of_demo("Mean wait for a review", "i", baseline_points=14, excluded=[9], missing=[5, 6]),
    )
    yield "c", of_demo("Queries from pharmacies", "c")
    yield (
        "u-prime",
        of_case(
            "dev-u_prime-anhoej-003",
            "u_prime",
            title="Complaints",
            unit="per 1,000 contacts",
            multiplier=1000,
            direction="decrease",
        ),
    )
    yield (
        "t",
        of_case(
            "dev-t-anhoej-003",
            "t",
            title="Days between cardiac arrests on the ward",
            unit="days",
            direction="increase",
            baseline_points=21,
        ),
    )
    yield (
        "g",
        of_case(
            "dev-g-anhoej-005",
            "g",
            title="Births between shoulder dystocias",
            unit="births",
            direction="increase",
        ),
    )
    yield (
        "xbar",
        of_case(
            "dev-xbar-anhoej-004",
            "xbar",
            title="Time to triage, three patients a day",
            unit="minutes",
            direction="decrease",
        ),
    )


# Fictional practices: missed appointments out of those booked in a quarter.
PRACTICES = {
    "Alder": (61, 702),
    "Beech": (118, 1490),
    "Cedar": (33, 398),
    "Elm": (95, 980),
    "Fir": (27, 240),
    "Hazel": (140, 1230),
    "Holly": (52, 660),
    "Juniper": (78, 910),
    "Larch": (19, 160),
    "Maple": (84, 1340),
    "Oak": (101, 1105),
    "Rowan": (44, 520),
}
REASONS = {"Forgot": 41, "Felt better": 17, "Could not get through": 14, "No transport": 6}


def compared() -> Iterator[tuple[str, dict[str, Any]]]:
    """File names without ending, and documents of charts with a memory and of comparisons."""
    measure = story("Appointments missed")
    points = weekly_points(measure)
    # From week 20 a third fewer are missed: a small change for a Shewhart chart.
    lower = [
        round(point["numerator"] * (0.66 if row >= 20 else 1)) for row, point in enumerate(points)
    ]
    series = spc.Series(
        [point["period_start"].isoformat() for point in points],
        numerators=lower,
        denominators=[point["denominator"] for point in points],
    )
    shared: dict[str, Any] = {
        "data": "proportion",
        "direction": "decrease",
        "baseline_points": 20,
        "multiplier": 100,
        "title": measure.name,
        "unit": "%",
    }
    yield "ewma", ewma(series, EwmaSettings(**shared))
    yield "cusum", cusum(series, CusumSettings(**shared, decision_interval=4))
    units = [
        Unit(name, float(missed), float(booked)) for name, (missed, booked) in PRACTICES.items()
    ]
    settings = FunnelSettings(
        kind="proportion",
        direction="decrease",
        multiplier=100,
        title="Appointments missed, by practice",
        unit="%",
    )
    yield "funnel", funnel(units, settings)
    categories = [Category(label, count) for label, count in REASONS.items()]
    categories.append(Category("Other", 9, is_other=True))
    yield "pareto", pareto(categories, ParetoSettings(title="Why appointments were missed"))


def main() -> None:
    """Write every picture."""
    drawings = [
        *((name, represent(document, SVG, PictureQuery())) for name, document in pictures()),
        *(
            (name, comparisons.represent(document, SVG, PictureQuery()))
            for name, document in compared()
        ),
    ]
    for name, drawn in drawings:
        assert len(drawn.content) <= LARGEST, f"{name} has {len(drawn.content)} bytes"
        path = Path(__file__).parent / f"{name}.svg"
        path.write_bytes(drawn.content)
        print(path.relative_to(ROOT), len(drawn.content))  # noqa: T201 - it is a command


if __name__ == "__main__":
    main()
