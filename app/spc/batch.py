"""charts(): many series at once, each with its own outcome."""

from collections.abc import Iterator, Sequence

from app.spc.cutting import Request
from app.spc.engine import Recipe, draw, recipe_of
from app.spc.errors import SpcError
from app.spc.results import Chart

_ROWS_TOGETHER = 50_000  # joined at once, to bound the memory that a batch takes

Outcome = Chart | SpcError


def charts(requests: Sequence[Request]) -> list[Outcome]:
    """What chart() gives for each request, in their order: the very same chart, or its refusal.

    Series of one chart, rule set and form of data are joined and computed together.
    """
    outcomes: dict[int, Outcome] = {}
    groups: dict[Recipe, list[int]] = {}
    for index, (series, settings) in enumerate(requests):
        try:
            groups.setdefault(recipe_of(series, settings), []).append(index)
        except SpcError as refusal:
            outcomes[index] = refusal
    for recipe, members in groups.items():
        for together in _parcels(members, requests):
            drawn = _outcomes(recipe, [requests[index] for index in together])
            outcomes.update(zip(together, drawn, strict=True))
    return [outcomes[index] for index in range(len(requests))]


def _parcels(members: Sequence[int], requests: Sequence[Request]) -> Iterator[list[int]]:
    """The members in parcels of a bounded number of rows."""
    parcel: list[int] = []
    rows = 0
    for index in members:
        size = len(requests[index][0].x)
        if parcel and rows + size > _ROWS_TOGETHER:
            yield parcel
            parcel, rows = [], 0
        parcel.append(index)
        rows += size
    yield parcel


def _outcomes(recipe: Recipe, requests: Sequence[Request]) -> list[Outcome]:
    """All together; where that is refused, each half alone, until the culprits stand alone."""
    try:
        return list(draw(recipe, requests))
    except SpcError as refusal:
        if len(requests) == 1:
            return [refusal]
    half = len(requests) // 2
    return [*_outcomes(recipe, requests[:half]), *_outcomes(recipe, requests[half:])]
