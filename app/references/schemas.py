"""Bodies of external references, and how other resources show theirs and are filtered by them."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints

from app.kit.fields import Input, Output, Slug, Storable
from app.kit.pagination import Commas, ListQuery
from app.references.resources import ResourceType

MAX_REFERENCES = 1_000
ExternalId = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), Storable
]
_LOOKED_UP = Annotated[str, StringConstraints(min_length=1, max_length=200), Storable]
RefText = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}:", max_length=265), Storable
]
RefFilter = Annotated[
    list[RefText],
    Field(
        max_length=50,
        description="What another system calls it, as `system:id`, such as `lifeqi:123`; "
        "repeat for 'or'.",
    ),
]
REF_EXAMPLE: dict[str, Any] = {"system": "lifeqi", "id": "123"}
_EXAMPLE: dict[str, Any] = {
    "system": "lifeqi",
    "resource_type": "project",
    "resource_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d05",
    "external_id": "123",
}


class ExternalRef(Output):
    """What another system calls this resource."""

    model_config = ConfigDict(json_schema_extra={"examples": [REF_EXAMPLE]})

    system: str
    id: str


ExternalRefs = Annotated[
    list[ExternalRef], Field(description="What other systems call it, one name each.")
]


class ExternalReferenceCreate(Input):
    """What another system calls a resource of the programme."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    system: Slug = Field(description="A short name of the other system, the same everywhere.")
    resource_type: ResourceType
    resource_id: uuid.UUID
    external_id: ExternalId = Field(description="As the other system writes it.")


class ExternalReferenceBatch(Input):
    """Up to 1000 references: each is created, or replaces that of the resource in the system."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_EXAMPLE]}]})

    items: list[ExternalReferenceCreate] = Field(max_length=MAX_REFERENCES)


class ExternalReferenceBatchResult(Output):
    """How many references the batch created, replaced and left alone."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"created": 1, "updated": 0, "unchanged": 0}]}
    )

    created: int
    updated: int
    unchanged: int


class ExternalReferenceRead(Output):
    """How another system calls a resource. It never changes; it is replaced by another one."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e",
                    "programme_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d01",
                    **_EXAMPLE,
                    "created_at": "2018-01-08T09:30:00Z",
                    "created_by": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d42",
                }
            ]
        }
    )

    id: uuid.UUID
    programme_id: uuid.UUID
    system: str
    resource_type: str = Field(json_schema_extra={"x-extensible-enum": list(ResourceType)})
    resource_id: uuid.UUID
    external_id: str
    created_at: datetime
    created_by: uuid.UUID | None


class ExternalReferenceQuery(ListQuery):
    """The lookup in both directions: by what the other system says, or by our resource."""

    programme_id: list[uuid.UUID] = Field(default_factory=list, max_length=50)
    system: list[Slug] = Field(default_factory=list, max_length=50)
    resource_type: list[ResourceType] = Field(default_factory=list, max_length=20)
    external_id: list[_LOOKED_UP] = Field(default_factory=list, max_length=50)
    resource_id: list[uuid.UUID] = Field(default_factory=list, max_length=50)
    sort: Annotated[
        list[Literal["created_at", "-created_at", "external_id", "-external_id"]], Commas
    ] = Field(default_factory=list, max_length=2)
