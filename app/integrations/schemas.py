"""Bodies of the routes of integrations."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import MISSING, AfterValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from app.integrations.models import IntegrationState, Platform
from app.integrations.rules import EXAMPLE as MAPPING_EXAMPLE
from app.integrations.rules import IntegrationMapping
from app.kit.fields import Input, Name, Output, Slug, Storable, Url
from app.kit.pagination import ArchivableQuery, Commas
from app.kit.signing import is_secret


def _well_formed(secret: str) -> str:
    if not is_secret(secret):
        raise PydanticCustomError(
            "secret_form", "Give `whsec_` and the base64 of 24 to 64 random bytes."
        )
    return secret


Secret = Annotated[str, Field(max_length=100), AfterValidator(_well_formed)]
# It is the `origin` of what is pulled from there too, which holds so many characters.
BaseUrl = Annotated[
    Url, StringConstraints(max_length=200), AfterValidator(lambda url: url.rstrip("/"))
]
Token = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{8,500}$"), Storable]
SortField = Literal["name", "-name", "created_at", "-created_at", "updated_at", "-updated_at"]
_ABOUT: dict[str, Any] = {
    "name": "Life QI, North London",
    "mapping": MAPPING_EXAMPLE,
    "base_url": None,
}
_KIND: dict[str, Any] = {
    "programme_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d01",
    "platform": "generic",
    "system": "lifeqi",
}
_READ: dict[str, Any] = {
    "id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e",
    **_KIND,
    **_ABOUT,
    "has_token": False,
    "state": "enabled",
    "owner_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d42",
    "scopes": None,
    "old_secret_until": None,
    "created_at": "2018-01-08T09:30:00Z",
    "updated_at": "2018-01-08T09:30:00Z",
    "archived_at": None,
    "revision": 1,
}


class IntegrationBase(Input):
    """What a client may state of a connection, its secrets left out."""

    name: Name
    mapping: IntegrationMapping | None = Field(
        default=None, description="Of a generic platform; another OpenQI is understood without."
    )
    base_url: BaseUrl | None = Field(
        default=None, description="Where another OpenQI is, to pull its released projects."
    )


class IntegrationCreate(IntegrationBase):
    """A new connection to a platform that will send messages."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{**_KIND, **_ABOUT, "token": None, "secret": None}]}
    )

    programme_id: uuid.UUID
    platform: Platform = Platform.GENERIC
    system: Slug = Field(description="The name of the platform in external references; it stays.")
    token: Token | None = Field(
        default=None, description="For the API of another OpenQI; stored sealed, never shown."
    )
    secret: Secret | None = Field(
        default=None, description="Where the sender made the secret; else one is made here."
    )


class IntegrationPatch(Input):
    """The fields to change; what is absent stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Life QI"}]})

    name: Name | MISSING = MISSING
    mapping: IntegrationMapping | None | MISSING = MISSING
    base_url: BaseUrl | None | MISSING = MISSING
    token: Token | None | MISSING = MISSING


class IntegrationTransition(Input):
    """The state to go to."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"to": "paused"}]})

    to: IntegrationState


class SecretRotation(Input):
    """How to change the secret."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"secret": None, "old_ends_now": False}]}
    )

    secret: Secret | None = Field(
        default=None, description="Where the sender made it; else one is made here."
    )
    old_ends_now: Annotated[bool, Field(strict=True)] = Field(
        default=False, description="True if the old one has leaked; else it holds for 24 hours."
    )


class IntegrationRead(Output):
    """A connection to a platform, without its secrets."""

    model_config = ConfigDict(json_schema_extra={"examples": [_READ]})

    id: uuid.UUID
    programme_id: uuid.UUID
    name: str
    platform: str = Field(json_schema_extra={"x-extensible-enum": list(Platform)})
    system: str
    state: str = Field(json_schema_extra={"x-extensible-enum": list(IntegrationState)})
    mapping: IntegrationMapping | None
    base_url: str | None
    has_token: bool
    owner_id: uuid.UUID = Field(
        description="With whose permissions of the moment it acts: whoever created it, or last "
        "changed what it does, or took a new secret."
    )
    scopes: list[str] | None = Field(
        description="Those of the owner's token, which narrow it; null after a login."
    )
    old_secret_until: datetime | None = Field(description="Until then the old secret holds too.")
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None
    revision: int


class IntegrationSecretRead(IntegrationRead):
    """A connection with its secret, which is shown this once."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{**_READ, "secret": "whsec_shown-once-and-stored-sealed"}]}
    )

    secret: str = Field(description="Whoever sends messages signs them with it.")


class IntegrationQuery(ArchivableQuery):
    """Filters and sorts of connections."""

    programme_id: list[uuid.UUID] = Field(default_factory=list, max_length=50)
    platform: list[Platform] = Field(default_factory=list, description="Repeat for 'or'.")
    system: list[Slug] = Field(default_factory=list, max_length=50)
    state: list[IntegrationState] = Field(default_factory=list)
    sort: Annotated[list[SortField], Commas] = Field(default_factory=list, max_length=3)
