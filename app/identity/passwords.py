"""Passwords: argon2id hashes, made by few threads at a time, and what is too easy to guess."""

import threading
import unicodedata

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher

from app.kit.errors import Invalid

MIN_LENGTH, MAX_LENGTH = 12, 256
_TIME_COST = 2  # with 19 MiB and one lane: the OWASP minimum for argon2id
_AT_ONCE = 3  # each hash takes its memory; forty threads of them would take the server down

# Long passwords that lead the public lists of leaked ones, and words that stand for this software.
_COMMON = frozenset(
    [
        "123456789012",
        "1234567890123",
        "12345678901234",
        "123456123456",
        "1234512345",
        "123123123123",
        "121212121212",
        "111111111111",
        "000000000000",
        "passwordpassword",
        "password1234",
        "password12345",
        "password123456",
        "mypassword123",
        "changemechangeme",
        "letmeinletmein",
        "welcome12345",
        "welcome123456",
        "qwertyuiopasdf",
        "qwertyuiop12",
        "qwertyuiop123",
        "qwerty123456",
        "qwertyqwerty",
        "asdfghjkl123",
        "asdfghjklasdf",
        "zxcvbnmzxcvbnm",
        "1q2w3e4r5t6y",
        "1q2w3e4r5t6y7u",
        "q1w2e3r4t5y6",
        "1qaz2wsx3edc",
        "abcdefghijkl",
        "abcdefghijklm",
        "abc123abc123",
        "iloveyou1234",
        "iloveyouiloveyou",
        "sunshine1234",
        "princess1234",
        "football1234",
        "liverpool123",
        "arsenal12345",
        "administrator",
        "administrator1",
        "adminadminadmin",
        "admin1234567",
        "nhsnhsnhsnhs",
        "november2026",
    ]
)
_PADDING = "0123456789!?.-_ "
_STEMS = {"openqi", "qualityimprovement"} | {entry.strip(_PADDING) for entry in _COMMON} - {""}


class WeakPassword(Invalid):
    """422: the password stands on the lists that every attacker tries first."""

    code = "weak_password"
    title = "This password is too easy to guess; choose a longer phrase of your own."


def check_password(
    password: str, *, context: tuple[str, ...] = (), field: str = "password"
) -> None:
    """Refuse a password that is common, of few characters, or made of the account's own words.

    The length is checked by the schema; there are no composition rules (OWASP ASVS 5.0, 6.2).
    """
    folded = password.casefold()
    stems = _STEMS | {word.casefold() for word in context if len(word) >= 4}
    if folded in _COMMON or len(set(folded)) < 5 or folded.strip(_PADDING) in stems:
        raise WeakPassword.at(field, code=WeakPassword.code, detail=WeakPassword.title)


def _bytes(password: str) -> bytes:
    """One form for each text: keyboards differ in how they compose an accented letter.

    A lone surrogate can arrive in a login form; it must be a wrong password and not a crash.
    """
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


class Passwords:
    """Hashes and verifies, a few at a time."""

    def __init__(self, *, memory_kib: int) -> None:
        argon2id = Argon2Hasher(_TIME_COST, memory_kib, parallelism=1)
        self._hasher = PasswordHash((argon2id,))
        self._gate = threading.BoundedSemaphore(_AT_ONCE)
        self._decoy = self.hash("nobody has this password")

    def hash(self, password: str) -> str:
        """The argon2id hash of a password."""
        with self._gate:
            return self._hasher.hash(_bytes(password))

    def verify(self, password: str, stored: str | None) -> tuple[bool, str | None]:
        """Whether it fits, and a new hash where the parameters have grown since.

        Without a stored hash (unknown account) the same work is done, so time tells nothing. What
        is stored but is no hash lets nobody in.
        """
        given = _bytes(password)
        with self._gate:
            try:
                if stored is not None:
                    return self._hasher.verify_and_update(given, stored)
            except UnknownHashError:
                pass
            self._hasher.verify(given, self._decoy)
            return False, None
