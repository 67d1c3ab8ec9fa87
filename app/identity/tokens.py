"""Access tokens: the only file that knows the JOSE library. Its interface names no library.

python-jose accepts more than we want (any algorithm that a key fits, absent claims, unknown `crit`
headers, any size), so everything that it leaves open is closed here.
"""

import hashlib
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from jose import jwk, jwt
from jose.exceptions import JOSEError

from app.identity.keys import public_pem
from app.kit.errors import Unauthenticated
from app.kit.ids import new_id

ALGORITHM = "ES256"
TOKEN_TYPE = "at+jwt"  # noqa: S105 - RFC 9068, not a secret
AUDIENCE = "openqi"
CLIENT = "openqi-password"
MAX_LENGTH = 8_192
LEEWAY_SECONDS = 30
_REQUIRED = ("iss", "aud", "sub", "exp", "iat", "jti")
# The library's base64 skips what does not belong: one signature would have many spellings.
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_OPTIONS: dict[str, Any] = {f"require_{claim}": True for claim in _REQUIRED} | {
    "leeway": LEEWAY_SECONDS
}
# RecursionError: a header of brackets; OverflowError: an infinite time.
_UNREADABLE = (
    JOSEError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RecursionError,
    OverflowError,
)


class InvalidToken(Unauthenticated):
    """401: the token is damaged, forged, expired or not meant for us. Which one is not told."""

    code = "invalid_token"
    title = "The access token is not valid."

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What a verified token says."""

    user_id: uuid.UUID
    session_id: uuid.UUID


class AccessTokens:
    """Issues and verifies ES256 access tokens (RFC 9068) of one issuer."""

    def __init__(self, *, private_key: str, issuer: str, lifetime: timedelta) -> None:
        public = public_pem(private_key)
        # Parsed once, from PEM text only: the library's guard against key confusion does not see
        # raw DER bytes.
        self._private = jwk.construct(private_key, ALGORITHM)
        self._public = jwk.construct(public, ALGORITHM)
        self._issuer = issuer
        self.lifetime = lifetime
        self.key_id = hashlib.sha256(public.encode()).hexdigest()[:16]

    def issue(self, *, user_id: uuid.UUID, session_id: uuid.UUID, now: datetime) -> str:
        """A signed token for one login session."""
        claims = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": str(user_id),
            "client_id": CLIENT,
            "sid": str(session_id),
            "iat": int(now.timestamp()),
            "exp": int((now + self.lifetime).timestamp()),
            "jti": str(new_id()),
        }
        headers = {"typ": TOKEN_TYPE, "kid": self.key_id}
        return jwt.encode(claims, self._private, algorithm=ALGORITHM, headers=headers)

    def verify(self, token: str) -> AccessClaims:
        """What the token says, if all of it holds. Raises `InvalidToken`."""
        if len(token) > MAX_LENGTH or _COMPACT.fullmatch(token) is None:
            raise InvalidToken
        try:
            self._check_header(jwt.get_unverified_header(token))
            claims = jwt.decode(
                token,
                self._public,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=self._issuer,
                options=_OPTIONS,
            )
            self._check_issued_at(claims)
            return AccessClaims(uuid.UUID(claims["sub"]), uuid.UUID(claims["sid"]))
        except _UNREADABLE as fault:
            raise InvalidToken from fault

    def _check_header(self, header: dict[str, Any]) -> None:
        """The type is exact, no critical extension is asked for, and the key is ours by its id."""
        if (
            header.get("typ") != TOKEN_TYPE
            or header.get("alg") != ALGORITHM
            or header.get("kid") != self.key_id
            or "crit" in header
        ):
            raise InvalidToken

    def _check_issued_at(self, claims: dict[str, Any]) -> None:
        """The library takes a token from the future; a clock may be off by the leeway, no more."""
        latest = datetime.now(UTC).timestamp() + LEEWAY_SECONDS
        if not isinstance(claims["iat"], int) or claims["iat"] > latest:
            raise InvalidToken
