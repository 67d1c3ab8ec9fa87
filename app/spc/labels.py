"""Point labels: dates must rise, and every label gets a key that stays when points are appended."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from operator import lt

from app.spc.errors import SpcError

_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def label_keys(labels: Sequence[str]) -> Sequence[str]:
    """One distinct key per point: the label, with its occurrence number where it was used before.

    A key depends only on the labels up to its own point. ISO 8601 dates or times that do not rise
    strictly are refused: order decides every rule and range, so they are a mistake rather than a
    choice. Other labels are free text in any order.
    """
    if all(map(lt, labels, labels[1:])):  # rising text, as dates are: nothing needs parsing
        return labels
    _check_dates(labels)
    seen: Counter[str] = Counter()
    keys = []
    for label in labels:
        seen[label] += 1
        keys.append(label if seen[label] == 1 else f"{label}\x1e{seen[label]}")
    return keys


def _check_dates(labels: Sequence[str]) -> None:
    dates = _as_dates(labels)
    try:
        row = next((i for i in range(1, len(dates)) if dates[i] <= dates[i - 1]), None)
    except TypeError:  # local times beside times with an offset have no order
        return
    if row is not None:
        detail = (
            "Dates must rise from point to point and none may repeat; sort or merge the points."
        )
        raise SpcError("x_not_ascending", detail, f"/points/{row}/x")


def _as_dates(labels: Sequence[str]) -> list[datetime]:
    """The labels as instants, or nothing unless all of them are dates."""
    if not all(map(_DATE.match, labels)):
        return []
    try:
        return [datetime.fromisoformat(label) for label in labels]
    except ValueError:
        return []
