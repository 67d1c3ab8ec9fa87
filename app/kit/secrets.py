"""Secrets that scanners can find and typing errors cannot pass: prefix, 256 bits, checksum."""

import hashlib
import secrets
import string
import zlib

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_BODY, _CHECK = 43, 6  # 62**43 > 2**256; a CRC-32 fits six digits


def _base62(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


def _check(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECK)


def make_secret(prefix: str) -> str:
    """A new secret such as `qipat_...`: 256 random bits in base 62 and a CRC-32."""
    body = _base62(int.from_bytes(secrets.token_bytes(32)), _BODY)
    return f"{prefix}_{body}{_check(prefix + body)}"


def is_well_formed(secret: str, prefix: str) -> bool:
    """Whether the checksum holds; tells a typing error without asking the database."""
    head, _, rest = secret.partition("_")
    body, check = rest[:_BODY], rest[_BODY:]
    return head == prefix and len(rest) == _BODY + _CHECK and check == _check(prefix + body)


def digest(secret: str) -> str:
    """What is stored. A fast hash is enough for 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()
