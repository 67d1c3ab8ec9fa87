"""Bodies of the login route (RFC 6749), which keeps the shapes that OAuth 2.0 clients expect."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from app.identity.passwords import MAX_LENGTH, MIN_LENGTH
from app.kit.fields import Output, storable


def _storable_secret(secret: SecretStr) -> SecretStr:
    storable(secret.get_secret_value())
    return secret


NewPassword = Annotated[
    SecretStr,
    Field(
        min_length=MIN_LENGTH,
        max_length=MAX_LENGTH,
        description="A phrase of your own; there are no rules on which characters it holds.",
        examples=["four quiet herons wading"],
    ),
    AfterValidator(_storable_secret),
]


class PasswordForm(BaseModel):
    """The fields of RFC 6749 section 4.3.2; further ones, such as `scope`, are left unread."""

    model_config = ConfigDict(extra="ignore")

    grant_type: str = Field(default="password", max_length=100)
    username: str = Field(
        max_length=1_000, description="The e-mail address.", examples=["ada@example.org"]
    )
    password: SecretStr = Field(max_length=1_000, examples=["four quiet herons wading"])


class TokenRead(Output):
    """An access token and how to use it: `Authorization: Bearer <access_token>`."""

    access_token: str = Field(examples=["eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9..."])
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - RFC 6749
    expires_in: int = Field(description="Seconds until it expires.", examples=[3600])


class OAuthError(Output):
    """An error in the shape of RFC 6749 section 5.2."""

    error: str = Field(examples=["invalid_grant"])
    error_description: str = Field(examples=["The e-mail address or the password is wrong."])
