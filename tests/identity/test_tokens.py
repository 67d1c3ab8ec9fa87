"""Attacks on access tokens: whatever is not signed by our key for us, now, is refused alike."""

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)
from jose import jwk
from starlette.testclient import TestClient

from app.identity.keys import generate_key, public_pem
from app.identity.tokens import AUDIENCE, LEEWAY_SECONDS, AccessTokens, InvalidToken
from tests.calling import Caller
from tests.world import World

ISSUER = "https://qi.example"
KEY, OTHER_KEY = generate_key(), generate_key()
TOKENS = AccessTokens(private_key=KEY, issuer=ISSUER, lifetime=timedelta(minutes=60))
USER, LOGIN = uuid.uuid4(), uuid.uuid4()
GONE = object()


def _claims(**over: Any) -> dict[str, Any]:
    now = int(datetime.now(UTC).timestamp())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(USER),
        "sid": str(LOGIN),
        "iat": now,
        "exp": now + 600,
        "jti": str(uuid.uuid4()),
    }
    return {name: value for name, value in (claims | over).items() if value is not GONE}


def _header(**over: Any) -> dict[str, Any]:
    header = {"alg": "ES256", "typ": "at+jwt", "kid": TOKENS.key_id}
    return {name: value for name, value in (header | over).items() if value is not GONE}


def _part(content: Any) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _signed(*, header: dict[str, Any] | None = None, claims: Any = None, key: str = KEY) -> str:
    """Signed for real with ES256, whatever the header says."""
    message = f"{_part(_header(**(header or {})))}.{_part(claims or _claims())}"
    signature = jwk.construct(key, "ES256").sign(message.encode())
    return f"{message}.{_part(signature)}"


def _with_mac(secret: bytes) -> str:
    """The public key as the secret of HS256: the classical confusion."""
    message = f"{_part(_header(alg='HS256'))}.{_part(_claims())}"
    return f"{message}.{_part(hmac.digest(secret, message.encode(), hashlib.sha256))}"


def _public_der() -> bytes:
    key = load_pem_public_key(public_pem(KEY).encode())
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _tampered() -> str:
    header, _, signature = _signed().split(".")
    return f"{header}.{_part(_claims(sub=str(uuid.uuid4())))}.{signature}"


def _unsigned() -> str:
    return f"{_part(_header(alg='none'))}.{_part(_claims())}."


def _seconds(number: int) -> int:
    return int(datetime.now(UTC).timestamp()) + number


FORGERIES: dict[str, Callable[[], str]] = {
    "alg none without a signature": _unsigned,
    "alg none with a signature": lambda: _signed(header={"alg": "none"}),
    "alg None in capitals": lambda: _unsigned().replace(
        _part(_header(alg="none")), _part(_header(alg="NONE"))
    ),
    "HS256 with the public PEM": lambda: _with_mac(public_pem(KEY).encode()),
    "HS256 with the raw DER": lambda: _with_mac(_public_der()),
    "another algorithm's name": lambda: _signed(header={"alg": "ES384"}),
    "no alg": lambda: _signed(header={"alg": GONE}),
    "typ JWT": lambda: _signed(header={"typ": "JWT"}),
    "no typ": lambda: _signed(header={"typ": GONE}),
    "crit": lambda: _signed(header={"crit": ["exp"], "exp": 1}),
    "empty crit": lambda: _signed(header={"crit": []}),
    "unknown kid": lambda: _signed(header={"kid": "0123456789abcdef"}),
    "no kid": lambda: _signed(header={"kid": GONE}),
    "kid that is a path": lambda: _signed(header={"kid": "../../dev/null"}, key=OTHER_KEY),
    "kid that is a list": lambda: _signed(header={"kid": [TOKENS.key_id]}),
    "another key under our kid": lambda: _signed(key=OTHER_KEY),
    "another key, offered as jwk": lambda: _signed(
        header={"jwk": jwk.construct(public_pem(OTHER_KEY), "ES256").to_dict()}, key=OTHER_KEY
    ),
    "another key behind jku": lambda: _signed(
        header={"jku": "https://evil.example/jwks.json"}, key=OTHER_KEY
    ),
    "another key behind x5u": lambda: _signed(
        header={"x5u": "https://evil.example/cert.pem"}, key=OTHER_KEY
    ),
    "tampered payload": _tampered,
    "no signature": lambda: _signed().rpartition(".")[0] + ".",
    "signature of another token": lambda: ".".join(
        [*_signed().split(".")[:2], _signed(claims=_claims(jti="x")).split(".")[2]]
    ),
    "zero signature": lambda: _signed().rpartition(".")[0] + "." + _part(bytes(64)),
    **{
        f"no {claim}": lambda claim=claim: _signed(claims=_claims(**{claim: GONE}))  # type: ignore[misc]
        for claim in ("iss", "aud", "sub", "sid", "iat", "exp", "jti")
    },
    "wrong aud": lambda: _signed(claims=_claims(aud="another")),
    "wrong iss": lambda: _signed(claims=_claims(iss="https://evil.example")),
    "iss with a suffix": lambda: _signed(claims=_claims(iss=f"{ISSUER}.evil.example")),
    "expired": lambda: _signed(claims=_claims(exp=_seconds(-LEEWAY_SECONDS - 5))),
    "infinite exp": lambda: _signed(claims=_claims(exp=float("inf"))),
    "exp in words": lambda: _signed(claims=_claims(exp="tomorrow")),
    "iat to come": lambda: _signed(claims=_claims(iat=_seconds(LEEWAY_SECONDS + 60))),
    "iat in words": lambda: _signed(claims=_claims(iat="now")),
    "sub that is no UUID": lambda: _signed(claims=_claims(sub="admin")),
    "sub that is a number": lambda: _signed(claims=_claims(sub=1)),
    "sid that is no UUID": lambda: _signed(claims=_claims(sid="1' OR '1'='1")),
    "sid that is a number": lambda: _signed(claims=_claims(sid=1)),
    "claims that are a list": lambda: _signed(claims=["sub"]),
    "payload that is no JSON": lambda: _signed(claims=b"\xff\xfe"),
    "longer than 8 KiB": lambda: _signed(claims=_claims(padding="x" * 8_192)),
    "empty": lambda: "",
    "no token at all": lambda: "hello",
    "dots only": lambda: "..",
    "five parts": lambda: _signed() + ".a.b",
    "doubled dots": lambda: _signed().replace(".", "..", 1),
    "characters that base64 skips": lambda: _signed() + "!",
    "trailing line break": lambda: _signed() + "\n",
    "header that is no JSON": lambda: f"{_part(b'{')}.{_part(_claims())}.{_part(bytes(64))}",
    "header that is a list": lambda: f"{_part(['alg'])}.{_part(_claims())}.{_part(bytes(64))}",
    "header of brackets": lambda: f"{_part(b'[' * 5_000)}.{_part(_claims())}.{_part(bytes(64))}",
    "header with a huge number": lambda: f"{_part(b'9' * 5_000)}.{_part({})}.{_part(bytes(64))}",
    "letters of other alphabets": lambda: "\u00e9\u00e9.\u00e9\u00e9.\u00e9\u00e9",
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
def test_forgeries_are_refused(forge: Callable[[], str]) -> None:
    with pytest.raises(InvalidToken):
        TOKENS.verify(forge())


def test_a_token_of_ours_is_read() -> None:
    token = TOKENS.issue(user_id=USER, session_id=LOGIN, now=datetime.now(UTC))
    claims = TOKENS.verify(token)
    assert (claims.user_id, claims.session_id) == (USER, LOGIN)
    header = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    assert header == {"alg": "ES256", "typ": "at+jwt", "kid": TOKENS.key_id}


@pytest.mark.parametrize("name", ["jku", "x5u", "jwk"])
def test_headers_that_lead_to_keys_are_not_followed(name: str) -> None:
    """Signed by our key: the pointer to another key changes nothing."""
    token = _signed(header={name: "https://evil.example"})
    assert TOKENS.verify(token).user_id == USER


def test_clocks_may_differ_a_little() -> None:
    late = _signed(claims=_claims(exp=_seconds(-LEEWAY_SECONDS + 10)))
    early = _signed(claims=_claims(iat=_seconds(LEEWAY_SECONDS - 10)))
    assert TOKENS.verify(late) == TOKENS.verify(early)


def test_tokens_of_another_installation_are_refused() -> None:
    other = AccessTokens(private_key=KEY, issuer="https://other.example", lifetime=timedelta(1))
    token = other.issue(user_id=USER, session_id=LOGIN, now=datetime.now(UTC))
    with pytest.raises(InvalidToken):
        TOKENS.verify(token)


@pytest.mark.parametrize(
    "name", [name for name in FORGERIES if name not in ("empty", "letters of other alphabets")]
)
def test_forgeries_get_401_over_http(client: TestClient, name: str) -> None:
    answer = Caller(client, FORGERIES[name]().strip())("GET", "/me")
    assert answer.status_code == 401, answer.text
    assert answer.json()["code"] == "invalid_token"
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_sound_token_needs_its_login_and_its_own_person(
    call: Callable[..., Caller], world: World, client: TestClient
) -> None:
    tokens: AccessTokens = client.app.state.tokens  # type: ignore[attr-defined]
    mine = call(world.member)
    assert mine.get("/me").status_code == 200
    login = tokens.verify(mine.token or "").session_id
    now = datetime.now(UTC)
    for user_id, session_id in ((world.member.id, uuid.uuid4()), (world.admin.id, login)):
        forged = tokens.issue(user_id=user_id, session_id=session_id, now=now)
        assert Caller(client, forged).get("/me").status_code == 401


def test_no_token_and_other_schemes_are_401(client: TestClient) -> None:
    for headers in ({}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer"}):
        answer = client.get("/api/v1/me", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
