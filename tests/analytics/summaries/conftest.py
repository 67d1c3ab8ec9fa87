"""Counts the charts that summaries ask of the engine."""

from collections.abc import Iterable
from typing import Any

import pytest

from app.analytics.drawing import judge_each
from app.analytics.summaries import queries


@pytest.fixture
def charted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many charts each batch asked for; empty as long as nothing is behind."""
    sizes: list[int] = []

    def counting(requests: Iterable[Any]) -> Any:
        asked = list(requests)
        sizes.append(len(asked))
        return judge_each(asked)

    monkeypatch.setattr(queries, "judge_each", counting)
    return sizes
