"""The signing key: made once and for its owner only, refused with a sentence that helps."""

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from pydantic import ValidationError

from app.identity.keys import UnusableKey, generate_key, load_signing_key, public_pem
from app.main import create_app
from app.settings import Settings


def _pem(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
    encryption: KeySerializationEncryption | None = None,
) -> str:
    raw = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())
    return raw.decode()


def test_a_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    first = load_signing_key(pem=None, path=path, may_make=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_signing_key(pem=None, path=path, may_make=True) == first
    assert load_signing_key(pem=None, path=path, may_make=False) == first


def test_a_key_in_the_settings_wins(tmp_path: Path) -> None:
    pem = generate_key()
    assert load_signing_key(pem=pem, path=tmp_path / "none.pem", may_make=False) == pem
    assert not (tmp_path / "none.pem").exists()


def test_production_makes_no_key(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    with pytest.raises(UnusableKey, match="no signing key at"):
        load_signing_key(pem=None, path=path, may_make=False)
    assert not path.exists()
    with pytest.raises(ValidationError, match="generated signing key is refused"):
        Settings(environment="production", signing_key_file=path)
    settings = Settings(environment="development", signing_key_file=path)
    with pytest.raises(UnusableKey):
        create_app(settings.model_copy(update={"environment": "production"}))


GARBAGE = {
    "nothing": "",
    "words": "this is no key",
    "half a key": generate_key()[:80],
    "a public key": public_pem(generate_key()),
    "an encrypted key": _pem(
        ec.generate_private_key(ec.SECP256R1()), BestAvailableEncryption(b"secret")
    ),
}


@pytest.mark.parametrize("pem", GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_is_refused(pem: str, tmp_path: Path) -> None:
    with pytest.raises(UnusableKey, match="unencrypted PEM private key"):
        load_signing_key(pem=pem, path=tmp_path, may_make=True)


@pytest.mark.parametrize(
    "key", [ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65_537, 2_048)]
)
def test_only_p256_signs(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, tmp_path: Path
) -> None:
    with pytest.raises(UnusableKey, match="P-256"):
        load_signing_key(pem=_pem(key), path=tmp_path, may_make=True)


def test_a_file_that_cannot_be_read_or_written_is_told_of(tmp_path: Path) -> None:
    binary = tmp_path / "binary.pem"
    binary.write_bytes(b"\xff\x00\xfe")
    for path in (binary, tmp_path):
        with pytest.raises(UnusableKey, match="cannot be read"):
            load_signing_key(pem=None, path=path, may_make=True)
    with pytest.raises(UnusableKey, match="cannot be written"):
        load_signing_key(pem=None, path=tmp_path / "no" / "folder.pem", may_make=True)
