"""Secrets that must be read again (a webhook's key) are stored sealed by a key of this server."""

import base64
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES = 12


class Unsealable(Exception):
    """The text was sealed by another key or for another use, or it is damaged."""


class Sealer:
    """Seals text with AES-256-GCM under a key derived from the server's own for one use."""

    def __init__(self, master: bytes, *, use: str) -> None:
        key = HKDF(algorithm=SHA256(), length=32, salt=None, info=use.encode()).derive(master)
        self._cipher = AESGCM(key)

    def seal(self, text: str, *, bound_to: str) -> str:
        """The sealed text; `bound_to` (the row's id) must be the same when it is opened."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, text.encode(), bound_to.encode())
        return base64.b64encode(nonce + sealed).decode()

    def open(self, sealed: str, *, bound_to: str) -> str:
        """The text again. Raises `Unsealable`."""
        try:
            data = base64.b64decode(sealed, validate=True)
            nonce, rest = data[:_NONCE_BYTES], data[_NONCE_BYTES:]
            return self._cipher.decrypt(nonce, rest, bound_to.encode()).decode()
        except (ValueError, InvalidTag) as fault:
            raise Unsealable from fault
