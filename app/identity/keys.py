"""The ES256 key that signs access tokens: from the settings, or made once on first start."""

import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)


class UnusableKey(Exception):
    """The signing key cannot be read, is no P-256 key, or may not be made here."""


def generate_key() -> str:
    """A new private key as PEM text."""
    key = generate_private_key(SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _make_key_file(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(generate_key())


def _read_key_file(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except (OSError, UnicodeDecodeError) as fault:
        raise UnusableKey(f"The signing key cannot be read from {path}.") from fault


def load_signing_key(*, pem: str | None, path: Path, may_make: bool) -> str:
    """The private key as PEM text. Raises `UnusableKey` with a sentence that says what to do."""
    if pem is None:
        if not path.exists():
            if not may_make:
                raise UnusableKey(f"There is no signing key at {path}, and production makes none.")
            try:
                _make_key_file(path)
            except FileExistsError:
                pass  # another process of the same start was quicker; its key is ours too
            except OSError as fault:
                raise UnusableKey(f"The signing key cannot be written to {path}.") from fault
        pem = _read_key_file(path)
    try:
        key = load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as fault:
        raise UnusableKey("The signing key is not an unencrypted PEM private key.") from fault
    if not isinstance(key, EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise UnusableKey("The signing key is not a P-256 key, which ES256 needs.")
    return pem


def public_pem(private_pem: str) -> str:
    """The public half, as PEM text."""
    key = load_pem_private_key(private_pem.encode(), None)
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
