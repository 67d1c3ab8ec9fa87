"""Weekly synthetic data, the same on every machine: levels and chance, nothing measured."""

import random
from datetime import timedelta
from typing import Any

from app.demo.project_stories import MeasureStory
from app.demo.story import FIRST_WEEK, WEEKS


def _level(story: MeasureStory, week: int) -> float:
    return story.levels[max(first for first in story.levels if first <= week)]


def _binomial(chance: random.Random, size: int, share: float) -> int:
    return sum(chance.random() < share for _ in range(size))


def _poisson(chance: random.Random, mean: float) -> int:
    """Binomial with many trials: near enough to Poisson for a demonstration."""
    return _binomial(chance, 200, mean / 200)


def _week(story: MeasureStory, chance: random.Random, week: int) -> dict[str, Any]:
    level = _level(story, week)
    if story.data_type == "count":
        return {"value": _poisson(chance, level)}
    if story.data_type == "continuous":
        return {"value": round(chance.gauss(level, story.spread), 1)}
    size = story.size + chance.randint(-story.size // 8, story.size // 8)
    return {"numerator": _binomial(chance, size, level), "denominator": size}


def weekly_points(story: MeasureStory) -> list[dict[str, Any]]:
    """One data point a week, Monday to Sunday, as the bulk route takes them."""
    chance = random.Random(story.seed)  # noqa: S311 - a demonstration, not a secret
    points = []
    for week in range(WEEKS):
        start = FIRST_WEEK + timedelta(weeks=week)
        end = start + timedelta(days=6)
        points.append({"period_start": start, "period_end": end} | _week(story, chance, week))
    return points
