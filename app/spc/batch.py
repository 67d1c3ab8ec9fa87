"""charts(): many series at once, each with its own outcome."""

from collections.abc import Iterator, Sequence

from app.spc.cutting import Request
from app.spc.engine import Choices, checked_form, choices, draw
from app.spc.errors import SpcError
from app.spc.results import Chart
from app.spc.series import Form

_ROWS_TOGETHER = 50_000  # joined at once, to bound the memory that a batch takes

Outcome = Chart | SpcError
_Group = tuple[Choices, Form]


def charts(requests: Sequence[Request]) -> list[Outcome]:
    """What chart() gives for each request, in their order: the very same chart, or its refusal.

    Series of one chart, rule set and form of data are joined and computed together.
    """
    outcomes: dict[int, Outcome] = {}
    groups: dict[_Group, list[int]] = {}
    known: dict[int, Choices] = {}  # by identity: series of one programme share their settings
    for index, (series, settings) in enumerate(requests):
        try:
            chosen = known.get(id(settings))
            if chosen is None:
                chosen = known[id(settings)] = choices(settings)
            groups.setdefault((chosen, checked_form(series, chosen)), []).append(index)
        except SpcError as refusal:
            outcomes[index] = refusal
    for group, members in groups.items():
        for together in _parcels(members, requests):
            drawn = _outcomes(group, [requests[index] for index in together])
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


def _outcomes(group: _Group, requests: Sequence[Request]) -> list[Outcome]:
    """All together; where that is refused, each half alone, until the culprits stand alone."""
    try:
        return list(draw(*group, requests))
    except SpcError as refusal:
        if len(requests) == 1:
            return [refusal]
    half = len(requests) // 2
    return [*_outcomes(group, requests[:half]), *_outcomes(group, requests[half:])]
