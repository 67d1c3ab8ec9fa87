"""Bodies of `/me` and `/roles`."""

import uuid

from pydantic import ConfigDict, Field, SecretStr

from app.access.permissions import SCOPES, Permission, Role
from app.identity.passwords import MAX_LENGTH
from app.identity.schemas import NewPassword
from app.kit.fields import Input, Output

_PROGRAMME = "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d01"
_TEAM = "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d02"


class OwnMembership(Output):
    """A role that you have today, and where; without a programme it holds everywhere."""

    role: str = Field(json_schema_extra={"x-extensible-enum": list(Role)})
    programme_id: uuid.UUID | None
    team_id: uuid.UUID | None


class PlacePermissions(Output):
    """What you may do at a place; a team's list includes that of its programme."""

    programme_id: uuid.UUID | None = Field(description="Null: everywhere.")
    team_id: uuid.UUID | None
    permissions: list[str]


class UsedToken(Output):
    """The personal token that the request came with."""

    id: uuid.UUID
    scopes: list[str]
    programme_id: uuid.UUID | None = Field(description="The only programme that it opens.")


class MeRead(Output):
    """Who calls, and what the caller may do: roles narrowed by the token, where one is used."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e",
                    "email": "ada@example.org",
                    "display_name": "Ada Example",
                    "memberships": [
                        {"role": "member", "programme_id": _PROGRAMME, "team_id": _TEAM}
                    ],
                    "places": [
                        {
                            "programme_id": _PROGRAMME,
                            "team_id": None,
                            "permissions": ["programme:read", "team:read"],
                        },
                        {
                            "programme_id": _PROGRAMME,
                            "team_id": _TEAM,
                            "permissions": ["programme:read", "team:read", "measure:read"],
                        },
                    ],
                    "token": None,
                }
            ]
        }
    )

    id: uuid.UUID
    email: str
    display_name: str
    memberships: list[OwnMembership]
    places: list[PlacePermissions]
    token: UsedToken | None


class PasswordChange(Input):
    """The present password and the new one."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "current_password": "four quiet herons wading",
                    "new_password": "eleven patient otters at dusk",
                    "end_other_sessions": True,
                }
            ]
        }
    )

    current_password: SecretStr = Field(min_length=1, max_length=MAX_LENGTH)
    new_password: NewPassword
    end_other_sessions: bool = Field(default=True, description="Log out everywhere else.")


class PermissionRead(Output):
    """A permission and how far it goes from the place of the membership."""

    permission: str = Field(json_schema_extra={"x-extensible-enum": list(Permission)})
    reach: str = Field(json_schema_extra={"x-extensible-enum": ["team", "programme", "platform"]})


class RoleRead(Output):
    """A role: what it may do, where its membership points, and which roles it may give."""

    role: str = Field(json_schema_extra={"x-extensible-enum": list(Role)})
    place: str = Field(json_schema_extra={"x-extensible-enum": ["team", "programme", "platform"]})
    permissions: list[PermissionRead]
    grants: list[str]


class ScopeRead(Output):
    """A scope of personal tokens and the permissions that it lets through."""

    scope: str = Field(json_schema_extra={"x-extensible-enum": [*sorted(SCOPES)]})
    permissions: list[str]


class RoleTable(Output):
    """All roles and all scopes of this version."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "roles": [
                        {
                            "role": "commissioner",
                            "place": "programme",
                            "permissions": [{"permission": "team:read", "reach": "programme"}],
                            "grants": [],
                        }
                    ],
                    "scopes": [{"scope": "team:read", "permissions": ["team:read"]}],
                }
            ]
        }
    )

    roles: list[RoleRead]
    scopes: list[ScopeRead]
