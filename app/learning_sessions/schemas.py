"""Bodies of the session routes; those of the register are in `register_schemas`."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import MISSING, AfterValidator, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from app.kit.fields import Input, Instant, Line, Name, Output, Prose, SearchText, Url
from app.kit.pagination import ArchivableQuery, Commas
from app.learning_sessions.models import SessionKind, SessionStatus
from app.references.schemas import REF_EXAMPLE, ExternalRefs, RefFilter

SHORTEST, LONGEST = timedelta(minutes=30), timedelta(hours=12)
_EARLIEST, _LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2190, 1, 1, tzinfo=UTC)


def _plausible(instant: datetime) -> datetime:
    # Further out, an instant may have no calendar day in the programme's time zone.
    if not _EARLIEST <= instant < _LATEST:
        raise PydanticCustomError("datetime_range", "A session lies between 1990 and 2190.")
    return instant


SessionInstant = Annotated[Instant, AfterValidator(_plausible)]
Number = Annotated[int, Field(ge=1, le=100_000, strict=True)]
Lines = Annotated[list[Line], Field(max_length=50)]
SortField = Literal["number", "-number", "starts_at", "-starts_at", "updated_at", "-updated_at"]
_EXAMPLE: dict[str, Any] = {
    "number": 1,
    "title": "Aims, measures and the first PDSA cycle",
    "kind": "mixed",
    "starts_at": "2017-12-07T13:30:00Z",
    "ends_at": "2017-12-07T17:00:00Z",
    "venue": "Training room (fictional)",
    "url": None,
    "faculty": ["Facilitator of the programme"],
    "objectives": ["Every team has an aim"],
    "materials": [],
    "prework": ["Bring one problem of your practice"],
}


class SessionPlan(Input):
    """What a client may state of a session, but for its number."""

    title: Name
    kind: SessionKind = SessionKind.MIXED
    starts_at: SessionInstant | None = Field(default=None, description="Null: not dated yet.")
    ends_at: SessionInstant | None = Field(
        default=None, validate_default=True, description="30 minutes to 12 hours after the start."
    )
    venue: Line | None = None
    url: Url | None = None
    faculty: Lines = Field(default_factory=list)
    objectives: Lines = Field(default_factory=list)
    materials: Lines = Field(default_factory=list)
    prework: Lines = Field(default_factory=list)

    @field_validator("ends_at")
    @classmethod
    def _of_a_plausible_length(
        cls, ends_at: datetime | None, info: ValidationInfo
    ) -> datetime | None:
        if "starts_at" not in info.data:  # faulty itself, and reported as that
            return ends_at
        starts_at = info.data["starts_at"]
        if (starts_at is None) != (ends_at is None):
            raise PydanticCustomError("half_dated", "Give starts_at and ends_at, or neither.")
        if ends_at is not None and not SHORTEST <= ends_at - starts_at <= LONGEST:
            raise PydanticCustomError(
                "session_length", "A session ends 30 minutes to 12 hours after its start."
            )
        return ends_at


class SessionBase(SessionPlan):
    """A session's plan with its number."""

    number: Number


class SessionCreate(SessionPlan):
    """A new session, planned."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    number: Number | None = Field(default=None, description="Without it, the next one.")


class SessionPatch(Input):
    """The fields to change; what is absent stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"venue": "Library (fictional)"}]})

    number: Number | MISSING = MISSING
    title: Name | MISSING = MISSING
    kind: SessionKind | MISSING = MISSING
    starts_at: SessionInstant | None | MISSING = MISSING
    ends_at: SessionInstant | None | MISSING = MISSING
    venue: Line | None | MISSING = MISSING
    url: Url | None | MISSING = MISSING
    faculty: Lines | MISSING = MISSING
    objectives: Lines | MISSING = MISSING
    materials: Lines | MISSING = MISSING
    prework: Lines | MISSING = MISSING


class SessionTransition(Input):
    """A step to another status."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"to": "cancelled", "reason": "Snow closed the venue."}]}
    )

    to: SessionStatus
    reason: Annotated[Prose, Field(min_length=1)] | None = Field(
        default=None, description="Needed for `cancelled`."
    )


class SessionRead(Output):
    """A session of a programme."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d07",
                    "programme_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d02",
                    **_EXAMPLE,
                    "status": "held",
                    "duration_minutes": 210,
                    "cancel_reason": None,
                    "register_revision": 1,
                    "external_refs": [REF_EXAMPLE],
                    "created_at": "2017-11-20T09:00:00Z",
                    "updated_at": "2017-12-07T18:00:00Z",
                    "archived_at": None,
                    "revision": 4,
                }
            ]
        }
    )

    id: uuid.UUID
    programme_id: uuid.UUID
    number: int
    title: str
    kind: str = Field(json_schema_extra={"x-extensible-enum": list(SessionKind)})
    status: str = Field(json_schema_extra={"x-extensible-enum": list(SessionStatus)})
    starts_at: datetime | None
    ends_at: datetime | None
    duration_minutes: int | None = Field(description="Derived; null while it is not dated.")
    venue: str | None
    url: str | None
    faculty: list[str]
    objectives: list[str]
    materials: list[str]
    prework: list[str]
    cancel_reason: str | None
    register_revision: int = Field(description="0: nobody has recorded who attended.")
    external_refs: ExternalRefs = []
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None
    revision: int


class SessionQuery(ArchivableQuery):
    """Filters and sorts of the session list."""

    q: SearchText | None = Field(default=None, description="Part of the title.")
    status: list[SessionStatus] = Field(default_factory=list, description="Repeat for 'or'.")
    kind: list[SessionKind] = Field(default_factory=list)
    starts_from: Instant | None = Field(default=None, description="Starts at or after.")
    starts_to: Instant | None = Field(default=None, description="Starts before.")
    external_ref: RefFilter = Field(default_factory=list)
    sort: Annotated[list[SortField], Commas] = Field(default_factory=list, max_length=3)
