"""Passwords: what is too easy, and that hashes tell nothing and forgive composition of letters."""

import time

import pytest

from app.identity.passwords import Passwords, WeakPassword, check_password

PASSWORDS = Passwords(memory_kib=8)
GOOD = "four quiet herons wading"


@pytest.mark.parametrize(
    "weak",
    [
        "123456789012",
        "Password12345",
        "PASSWORD!!!!",
        "password-2026-2027",
        "aaaaaaaaaaaa",
        "abababababab",
        "openqi123456",
        "OpenQI!!!!!!!!!",
        "ada.lovelace1",
        "Ada Lovelace 2",
    ],
)
def test_what_every_attacker_tries_is_refused(weak: str) -> None:
    with pytest.raises(WeakPassword) as refusal:
        check_password(weak, context=("ada.lovelace", "Ada Lovelace"), field="new_password")
    assert refusal.value.errors[0].pointer == "#/new_password"
    assert weak not in str(refusal.value.errors)


@pytest.mark.parametrize(
    "good", [GOOD, "xK4?b9-LmQ2z", "日本語のとても長い合言葉です", "9 herons 8 otters"]
)
def test_there_are_no_rules_on_characters(good: str) -> None:
    check_password(good, context=("ada", "Ada Lovelace"))


def test_a_hash_fits_its_password_only() -> None:
    stored = PASSWORDS.hash(GOOD)
    assert stored.startswith("$argon2id$")
    assert stored != PASSWORDS.hash(GOOD)
    assert PASSWORDS.verify(GOOD, stored) == (True, None)
    for wrong in ("", GOOD[:-1], GOOD + " ", GOOD.upper(), "\x00", "\ud800", "x" * 100_000):
        assert PASSWORDS.verify(wrong, stored) == (False, None)


def test_an_accent_may_be_composed_or_not() -> None:
    assert PASSWORDS.verify("cafe\u0301 cre\u0300me", PASSWORDS.hash("café crème"))[0]


@pytest.mark.parametrize("stored", [None, "not a hash", "", "$argon2id$v=19$garbage"])
def test_without_a_hash_nothing_fits(stored: str | None) -> None:
    for password in ("nobody has this password", "not a hash", "", "\ud800"):
        assert PASSWORDS.verify(password, stored) == (False, None)


def test_an_outdated_hash_is_renewed() -> None:
    fits, renewed = Passwords(memory_kib=16).verify(GOOD, PASSWORDS.hash(GOOD))
    assert fits
    assert renewed is not None
    assert "m=16," in renewed


def test_an_unknown_account_takes_as_long() -> None:
    """Compared by the best of several, against a factor that a skipped hash would miss by far."""
    passwords = Passwords(memory_kib=8_192)
    stored = passwords.hash(GOOD)

    def best(hash_or_none: str | None) -> float:
        times = []
        for _ in range(5):
            start = time.perf_counter()
            passwords.verify("wrong", hash_or_none)
            times.append(time.perf_counter() - start)
        return min(times)

    assert best(None) > best(stored) / 3
