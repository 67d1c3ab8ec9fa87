"""Bodies of the register and of the attendance of programmes and participants."""

import uuid
from datetime import datetime
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from app.kit.fields import Day, Input, Output
from app.learning_sessions.models import AttendanceMethod, AttendanceStatus

Minutes = Annotated[int, Field(ge=0, le=1_440, strict=True)]
_PARTICIPANT = "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d05"
_SESSION = "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d07"
_PROGRAMME = "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d02"
_TEAM = "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d04"
_RECORDED: dict[str, Any] = {
    "status": "present",
    "minutes_attended": 210,
    "method": "facilitator",
    "make_up_of": None,
}
_RATE: dict[str, Any] = {"eligible": 4, "attended": 3.5, "rate": 0.875}


class RegisterItem(Input):
    """What is recorded of one participant."""

    participant_id: uuid.UUID
    status: AttendanceStatus = Field(description="`not_applicable` is derived and refused.")
    minutes_attended: Minutes | None = None
    method: AttendanceMethod = AttendanceMethod.FACILITATOR
    make_up_of: uuid.UUID | None = Field(
        default=None, description="The session of the programme that this one made up for."
    )


class RegisterReplace(Input):
    """The whole register: whoever is not named becomes `not_recorded`."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"items": [{"participant_id": _PARTICIPANT, **_RECORDED}]}]}
    )

    items: Annotated[list[RegisterItem], Field(max_length=10_000)]


class RegisterLine(Output):
    """One participant at the session."""

    participant_id: uuid.UUID
    given_name: str
    family_name: str
    team_id: uuid.UUID | None
    status: str = Field(json_schema_extra={"x-extensible-enum": list(AttendanceStatus)})
    minutes_attended: int | None
    method: str | None = Field(json_schema_extra={"x-extensible-enum": list(AttendanceMethod)})
    make_up_of: uuid.UUID | None
    recorded_at: datetime | None


class RegisterRead(Output):
    """The register of a session: a line for every participant that you may see."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "session_id": _SESSION,
                    "programme_id": _PROGRAMME,
                    "session_on": "2017-12-07",
                    "register_revision": 1,
                    "items": [
                        {
                            "participant_id": _PARTICIPANT,
                            "given_name": "Ada",
                            "family_name": "Sample",
                            "team_id": _TEAM,
                            **_RECORDED,
                            "recorded_at": "2017-12-07T18:00:00Z",
                        }
                    ],
                }
            ]
        }
    )

    session_id: uuid.UUID
    programme_id: uuid.UUID
    session_on: Day | None = Field(description="The day of the session where the programme is.")
    register_revision: int = Field(description="The ETag; 0 while nothing has been recorded.")
    items: list[RegisterLine]


class AttendanceRate(Output):
    """Attendance of somebody or of several together."""

    eligible: int = Field(description="Sessions held that counted for them, summed up.")
    attended: float = Field(description="Present, late and left early as 1, partial by its weight.")
    rate: float | None = Field(description="attended / eligible; null without such a session.")


class ParticipantRate(AttendanceRate):
    """Attendance of one participant."""

    participant_id: uuid.UUID
    given_name: str
    family_name: str
    team_id: uuid.UUID | None


class TeamRate(AttendanceRate):
    """Attendance of those who are in a team now; `team_id` null: in none."""

    team_id: uuid.UUID | None


class AttendanceSummary(Output):
    """Attendance of a programme, of those participants whose attendance you may see."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "programme_id": _PROGRAMME,
                    "partial_weight": 0.5,
                    "sessions_held": 4,
                    "total": _RATE,
                    "teams": [{"team_id": _TEAM, **_RATE}],
                    "items": [
                        {
                            "participant_id": _PARTICIPANT,
                            "given_name": "Ada",
                            "family_name": "Sample",
                            "team_id": _TEAM,
                            **_RATE,
                        }
                    ],
                }
            ]
        }
    )

    programme_id: uuid.UUID
    partial_weight: float = Field(description="What `partial` counts in `attended`.")
    sessions_held: int
    total: AttendanceRate
    teams: list[TeamRate]
    items: list[ParticipantRate]


class AttendanceLine(Output):
    """One session, as one participant attended it."""

    session_id: uuid.UUID
    number: int
    title: str
    session_on: Day | None
    session_status: str
    status: str = Field(json_schema_extra={"x-extensible-enum": list(AttendanceStatus)})
    minutes_attended: int | None
    method: str | None
    make_up_of: uuid.UUID | None
    recorded_at: datetime | None


class ParticipantAttendance(AttendanceRate):
    """One participant's attendance, session by session."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "participant_id": _PARTICIPANT,
                    "partial_weight": 0.5,
                    **_RATE,
                    "items": [
                        {
                            "session_id": _SESSION,
                            "number": 1,
                            "title": "Aims and measures",
                            "session_on": "2017-12-07",
                            "session_status": "held",
                            **_RECORDED,
                            "recorded_at": "2017-12-07T18:00:00Z",
                        }
                    ],
                }
            ]
        }
    )

    participant_id: uuid.UUID
    partial_weight: float
    items: list[AttendanceLine]
