"""Makes a project that can be released: a complete aim, and a measure with data."""

from datetime import date, timedelta
from typing import Any

from sqlmodel import Session

from app.measures.models import Measure
from app.projects.models import Project
from tests.builders import make_data_point, make_measure

AIM: dict[str, Any] = {
    "what": "requests answered within 48 hours",
    "for_whom": "patients of the practice",
    "baseline_value": 40,
    "target_value": 80,
    "unit": "%",
    "direction": "increase",
    "by_when": "2018-09-30",
    "measure_id": None,
    "change_kind": None,
}


def make_ready(session: Session, project: Project, *, weeks: int = 3) -> Project:
    """Complete the charter and fill one measure with numbers that are not small."""
    project.aim = AIM
    session.add(project)
    make_filled(session, project, weeks=weeks)
    return project


def make_filled(session: Session, project: Project, *, weeks: int = 3, **over: Any) -> Measure:
    """A proportion with a point a week."""
    measure = make_measure(session, project=project, **over)
    for week in range(weeks):
        start = date(2018, 1, 1) + timedelta(weeks=week)
        numbers = {"numerator": 80.0 + week % 5, "denominator": 200.0}
        make_data_point(session, measure=measure, period_start=start, **numbers)
    return measure
