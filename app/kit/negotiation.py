"""Chooses a representation by `Accept` (RFC 9110 section 12.5.1): weights, wildcards, refusals."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from app.kit.errors import NotAcceptable

JSON = "application/json"
JSON_LINES = "application/jsonl"
CSV = "text/csv"
_WEIGHT = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?")


class _Range(NamedTuple):
    """One media range of the header."""

    kind: str
    weight: float

    def precision(self, offer: str) -> int:
        """How exactly it names the offer: 3 the type itself, 2 its family, 1 anything, 0 not."""
        if self.kind == offer:
            return 3
        if self.kind == offer.split("/")[0] + "/*":
            return 2
        return 1 if self.kind == "*/*" else 0


def _weight(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            # A weight that cannot be read asks for nothing.
            return float(value) if _WEIGHT.fullmatch(value := value.strip()) else 0.0
    return 1.0


def _ranges(header: str) -> list[_Range]:
    parts = (part.split(";") for part in header.split(",") if part.strip())
    return [_Range(kind.strip().lower(), _weight(parameters)) for kind, *parameters in parts]


def _weight_of(offer: str, ranges: Sequence[_Range]) -> float:
    """The weight of the range that names the offer most exactly; 0 where none does."""
    named = [(item.precision(offer), item.weight) for item in ranges if item.precision(offer)]
    return max(named, default=(0, 0.0))[1]


def choose(accept: str | None, offers: Sequence[str]) -> str:
    """The offer that the caller likes best: the first of equals, the first without a header.

    Raises `NotAcceptable` (406) with the list of offers where none will do.
    """
    ranges = _ranges(accept or "")
    if not ranges:
        return offers[0]
    best = max(offers, key=lambda offer: _weight_of(offer, ranges))  # the first of equals
    if _weight_of(best, ranges) == 0:
        raise NotAcceptable(f"Ask for {' or '.join(offers)}.", extra={"offers": list(offers)})
    return best
