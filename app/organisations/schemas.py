"""Bodies of the organisation routes."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import MISSING, ConfigDict, Field, StringConstraints, model_validator

from app.kit.fields import Day, Input, Name, Output, SearchText
from app.kit.pagination import ArchivableQuery, Commas
from app.organisations.models import OrganisationKind

OdsCode = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{3,8}$")]
SortField = Literal["name", "-name", "created_at", "-created_at", "updated_at", "-updated_at"]
_EXAMPLE: dict[str, Any] = {
    "name": "Elmtree Surgery (fictional)",
    "ods_code": "Y00001",
    "kind": "gp_practice",
    "area": "North",
    "valid_from": None,
    "valid_to": None,
    "successor_id": None,
}


class OrganisationBase(Input):
    """What a client may state of an organisation."""

    name: Name
    ods_code: OdsCode | None = None
    kind: OrganisationKind
    area: Name | None = Field(
        default=None, description="Stored, because nothing can be read out of an ODS code."
    )
    valid_from: Day | None = None
    valid_to: Day | None = None
    successor_id: uuid.UUID | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise ValueError("valid_to must not lie before valid_from")
        return self


class OrganisationCreate(OrganisationBase):
    """A new organisation."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})


class OrganisationPatch(Input):
    """The fields to change; what is absent stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"area": "West"}]})

    name: Name | MISSING = MISSING
    ods_code: OdsCode | None | MISSING = MISSING
    kind: OrganisationKind | MISSING = MISSING
    area: Name | None | MISSING = MISSING
    valid_from: Day | None | MISSING = MISSING
    valid_to: Day | None | MISSING = MISSING
    successor_id: uuid.UUID | None | MISSING = MISSING


class OrganisationRead(Output):
    """An organisation."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e",
                    **_EXAMPLE,
                    "created_at": "2017-11-01T09:00:00Z",
                    "updated_at": "2017-11-01T09:00:00Z",
                    "archived_at": None,
                    "revision": 1,
                }
            ]
        }
    )

    id: uuid.UUID
    name: str
    ods_code: str | None
    kind: str = Field(json_schema_extra={"x-extensible-enum": list(OrganisationKind)})
    area: str | None
    valid_from: Day | None
    valid_to: Day | None
    successor_id: uuid.UUID | None
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None
    revision: int


class OrganisationQuery(ArchivableQuery):
    """Filters and sorts of the organisation list."""

    q: SearchText | None = Field(default=None, description="Part of the name.")
    kind: list[OrganisationKind] = Field(default_factory=list, description="Repeat for 'or'.")
    area: list[Name] = Field(default_factory=list, max_length=50)
    ods_code: OdsCode | None = None
    sort: Annotated[list[SortField], Commas] = Field(default_factory=list, max_length=3)
