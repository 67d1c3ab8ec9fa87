"""Sealed secrets open with the same key, use and row, and with nothing else."""

import pytest

from app.kit.sealing import Sealer, Unsealable

SEALER = Sealer(b"a master key", use="webhooks")


def test_what_is_sealed_opens_and_looks_different_each_time() -> None:
    first, second = (SEALER.seal("whsec_é", bound_to="1") for _ in range(2))
    assert first != second
    assert "whsec" not in first
    assert SEALER.open(first, bound_to="1") == SEALER.open(second, bound_to="1") == "whsec_é"


@pytest.mark.parametrize(
    ("sealer", "row"),
    [
        (SEALER, "2"),
        (Sealer(b"a master key", use="mail"), "1"),
        (Sealer(b"another key", use="webhooks"), "1"),
    ],
)
def test_another_key_use_or_row_does_not_open_it(sealer: Sealer, row: str) -> None:
    with pytest.raises(Unsealable):
        sealer.open(SEALER.seal("text", bound_to="1"), bound_to=row)


@pytest.mark.parametrize("damaged", ["", "é", "AAAA", "A" * 60])
def test_damaged(damaged: str) -> None:
    with pytest.raises(Unsealable):
        SEALER.open(damaged, bound_to="1")
