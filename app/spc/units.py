"""What a funnel plot compares: units with their sums, how to draw them, and what is refused."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.spc.dispersion import Kind
from app.spc.errors import SpcError
from app.spc.memory import in_range
from app.spc.settings import DIRECTIONS, Direction

MAX_UNITS = 1_000
KINDS = ("proportion", "rate", "ratio")


@dataclass(frozen=True, slots=True)
class Unit:
    """A team, practice or other unit with its sums; `id` is printed as it is."""

    label: str
    numerator: float
    denominator: float
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelSettings:
    """How to draw a funnel plot.

    kind: `proportion`: cases among cases. `rate`: events in an exposure. `ratio`: observed over
        expected events, standardised elsewhere.
    target: in the displayed unit; None is all units pooled, for ratios 1.
    over_dispersion: whether limits allow for differences between units beyond chance: `auto` where
        phi is significantly above 1, `adjust` always, `ignore` never.
    winsorise: part of the z-scores at either end that is pulled in before phi is taken.
    """

    kind: Kind
    direction: Direction = "neutral"
    target: float | None = None
    over_dispersion: Literal["auto", "adjust", "ignore"] = "auto"
    winsorise: float = 0.1
    multiplier: float = 1
    title: str | None = None
    unit: str | None = None


def check_units(units: Sequence[Unit], settings: FunnelSettings) -> None:
    """Refuse units and settings that no funnel can be drawn from."""
    if settings.kind not in KINDS:
        raise SpcError("unknown_kind", f"The kind is one of {', '.join(KINDS)}.", "/kind")
    if settings.direction not in DIRECTIONS:
        detail = f"The direction of improvement is one of {', '.join(DIRECTIONS)}."
        raise SpcError("unknown_direction", detail, "/direction")
    if settings.over_dispersion not in {"auto", "adjust", "ignore"}:
        detail = "Over-dispersion is handled by auto, adjust or ignore."
        raise SpcError("unknown_over_dispersion", detail, "/over_dispersion")
    in_range("winsorise", settings.winsorise, least=0, most=0.4)
    in_range("multiplier", settings.multiplier, above=0)
    in_range("target", settings.target, above=0)
    _check_whole(settings)
    if len(units) > MAX_UNITS:
        detail = f"At most {MAX_UNITS} units are compared at once; compare fewer."
        raise SpcError("too_many_units", detail, "/units")
    for row, unit in enumerate(units):
        _check_unit(row, unit, settings.kind)


def _check_whole(settings: FunnelSettings) -> None:
    if settings.target is None or settings.kind != "proportion":
        return
    if settings.target >= settings.multiplier:
        detail = f"A proportion has a target below {settings.multiplier:g}, the whole."
        raise SpcError("target_out_of_range", detail, "/target")


def _check_unit(row: int, unit: Unit, kind: Kind) -> None:
    for field, number in (("numerator", unit.numerator), ("denominator", unit.denominator)):
        if not (math.isfinite(number) and number >= 0):
            detail = f"The {field} must be a finite number of zero or more."
            raise SpcError(f"{field}_out_of_range", detail, f"/units/{row}/{field}")
    if kind != "proportion":
        return
    if unit.denominator != int(unit.denominator):
        detail = "A proportion is of whole cases; for an exposure that is not, say rate."
        raise SpcError("denominator_not_whole", detail, f"/units/{row}/denominator")
    if unit.numerator > unit.denominator:
        detail = "The numerator must be at most the denominator; or say rate."
        raise SpcError("numerator_exceeds_denominator", detail, f"/units/{row}/numerator")
