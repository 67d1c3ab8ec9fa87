"""Bodies of the login route (RFC 6749), which keeps the shapes that OAuth 2.0 clients expect."""

from typing import Literal

from pydantic import Field

from app.kit.fields import Output


class TokenRead(Output):
    """An access token and how to use it: `Authorization: Bearer <access_token>`."""

    access_token: str = Field(examples=["eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9..."])
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - RFC 6749
    expires_in: int = Field(description="Seconds until it expires.", examples=[3600])


class OAuthError(Output):
    """An error in the shape of RFC 6749 section 5.2."""

    error: str = Field(examples=["invalid_grant"])
    error_description: str = Field(examples=["The e-mail address or the password is wrong."])
