"""Secrets: found by scanners, checked without a database, stored as a hash only."""

import re
import string

from hypothesis import given
from hypothesis import strategies as st

from app.kit.secrets import digest, is_well_formed, make_secret

SECRET = make_secret("qipat")


def test_the_form() -> None:
    assert re.fullmatch(r"qipat_[0-9A-Za-z]{49}", SECRET)
    assert is_well_formed(SECRET, "qipat")
    assert len({make_secret("qipat") for _ in range(100)}) == 100


def test_a_secret_of_another_kind_is_not_well_formed() -> None:
    assert not is_well_formed(SECRET, "qisvc")
    assert not is_well_formed(SECRET.replace("qipat", "qisvc"), "qisvc")
    assert not is_well_formed("", "qipat")
    assert not is_well_formed("qipat_", "qipat")
    assert not is_well_formed(SECRET + "0", "qipat")


@given(st.integers(6, len(SECRET) - 1), st.sampled_from(string.ascii_letters + string.digits))
def test_every_single_typing_error_is_caught(position: int, character: str) -> None:
    typed = SECRET[:position] + character + SECRET[position + 1 :]
    assert is_well_formed(typed, "qipat") is (typed == SECRET)


@given(st.integers(6, len(SECRET) - 2))
def test_two_letters_the_wrong_way_round_are_caught(position: int) -> None:
    typed = SECRET[:position] + SECRET[position + 1] + SECRET[position] + SECRET[position + 2 :]
    assert is_well_formed(typed, "qipat") is (typed == SECRET)


def test_what_is_stored_does_not_tell_the_secret() -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", digest(SECRET))
    assert digest(SECRET) != digest(make_secret("qipat"))
