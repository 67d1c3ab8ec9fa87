"""Pareto charts: which few categories make up most of a total.

Source: Juran's separation of the vital few from the useful many; the line at 80 % is convention.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from typing import Any

from app.spc.errors import SpcError
from app.spc.settings import ENGINE_VERSION, hash_of

MAX_CATEGORIES = 1_000


@dataclass(frozen=True, slots=True)
class Category:
    """One category: how often it occurred, or what it weighs. At most one gathers the others."""

    label: str
    value: float
    is_other: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ParetoSettings:
    """threshold: the part of the total that the vital few reach together, above 0, at most 1."""

    threshold: float = 0.8
    title: str | None = None
    unit: str | None = None


def pareto(categories: Sequence[Category], settings: ParetoSettings) -> dict[str, Any]:
    """The Pareto document: categories by falling value, equal ones by label, the others last.

    The vital few are the fewest leading categories that reach the threshold together; those that
    are gathered as others are never among them. Shares are of 1, computed in exact fractions of
    the decimals that were sent. Raises SpcError for values that are not above zero.
    """
    _check(categories, settings)
    exact = {category.label: Fraction(str(category.value)) for category in categories}
    total = sum(exact.values(), Fraction(0))
    wanted = Fraction(str(settings.threshold)) * total
    ordered = sorted(categories, key=lambda item: (item.is_other, -exact[item.label], item.label))
    rows, reached = [], Fraction(0)
    for category in ordered:
        is_vital = reached < wanted and not category.is_other
        reached += exact[category.label]
        rows.append(
            {
                "label": category.label,
                "value": category.value,
                "share": float(exact[category.label] / total),
                "cumulative_share": float(reached / total),
                "is_vital": is_vital,
                "is_other": category.is_other,
            }
        )
    said = {"threshold": settings.threshold}
    return {
        "chart": "pareto",
        "title": settings.title,
        "unit": settings.unit,
        "engine_version": ENGINE_VERSION,
        "settings": said,
        "settings_hash": hash_of(["pareto", said]),
        "total": float(total),
        "categories": rows,
        "vital_few": sum(row["is_vital"] for row in rows),
        "quality": {"categories": len(rows), "warnings": _warnings(rows)},
    }


def _check(categories: Sequence[Category], settings: ParetoSettings) -> None:
    if not 0 < settings.threshold <= 1:
        detail = "The threshold is a part of the total, above 0 and at most 1, such as 0.8."
        raise SpcError("threshold_out_of_range", detail, "/threshold")
    if not categories:
        raise SpcError("no_categories", "Send at least one category.", "/categories")
    if len(categories) > MAX_CATEGORIES:
        detail = f"At most {MAX_CATEGORIES} categories are charted; gather the rare ones as others."
        raise SpcError("too_many_categories", detail, "/categories")
    seen: set[str] = set()
    others = 0
    for row, category in enumerate(categories):
        if not (isfinite(category.value) and category.value > 0):
            detail = "A category has a value above zero; leave it out if it never occurred."
            raise SpcError("value_not_positive", detail, f"/categories/{row}/value")
        if category.label in seen:
            detail = "Each category stands once; add up those with the same label."
            raise SpcError("category_repeated", detail, f"/categories/{row}/label")
        seen.add(category.label)
        others += category.is_other
        if others > 1:
            detail = "One category gathers the others; add them up."
            raise SpcError("other_repeated", detail, f"/categories/{row}/is_other")


def _warnings(rows: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    warnings = []
    named = [row for row in rows if not row["is_other"]]
    gathered = [row for row in rows if row["is_other"]]
    if named and gathered and gathered[0]["value"] > named[0]["value"]:
        detail = "More was gathered as others than is in any category; break it down further."
        warnings.append({"code": "other_largest", "detail": detail})
    if len(named) > 2 and named[0]["value"] < 1.5 * named[-1]["value"]:
        detail = "The categories hardly differ: there are no vital few to work on first."
        warnings.append({"code": "no_vital_few", "detail": detail})
    return warnings
