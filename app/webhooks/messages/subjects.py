"""What the events say of their resources: ids, few scalars, never a name of a person.

One model for each shape of `data`. A field that only some events of a type have may be absent.
"""

import uuid
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import MISSING, BaseModel, ConfigDict, Field

_ID = "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3f"
_PROGRAMME = "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d40"
_PROJECT = "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d41"
_MEASURE = "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d42"
_OTHER = "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d43"
Text = Annotated[str, Field(max_length=2_000)]
Number = Annotated[int, Field(ge=0)]


def _example(**more: Any) -> ConfigDict:
    """A configuration with a realistic example: the fields that all have, and these."""
    whole = {"id": _ID, "url": f"/api/v1/resources/{_ID}", "programme_id": _PROGRAMME}
    return ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{**whole, "revision": 2, **more}]}
    )


class SubjectData(BaseModel):
    """The resource, and where to read it with your own token."""

    model_config = _example()

    id: uuid.UUID = Field(description="The resource.")
    url: Text = Field(description="Its address on this server.")
    programme_id: uuid.UUID | None = Field(description="Null for what is of no programme.")
    revision: Number = Field(description="After the event; a lower one than you have is old news.")
    origin: Text | MISSING = Field(
        default=MISSING, description="The other system that the change came from, if any did."
    )


class ProjectPartData(SubjectData):
    """A project, or what belongs to one."""

    model_config = _example(project_id=_PROJECT)

    project_id: uuid.UUID = Field(description="The project that it belongs to, or that it is.")


class StateChangeData(SubjectData):
    """A resource that took a step."""

    model_config = _example(**{"from": "planned", "to": "held"})

    former: Text = Field(alias="from", description="The state before.")
    to: Text = Field(description="The state after.")


class ProjectStateChangeData(StateChangeData, ProjectPartData):
    """A project that took a step."""

    model_config = _example(project_id=_ID, **{"from": "baseline", "to": "testing"})


class PDSACycleStateChangeData(StateChangeData, ProjectPartData):
    """A PDSA cycle that took a step."""

    model_config = _example(project_id=_PROJECT, **{"from": "doing", "to": "studying"})


class ExternalReferenceData(SubjectData):
    """What another system calls the resource has changed, nothing else; read `external_refs`."""

    model_config = _example(changed="external_refs", system="lifeqi")

    changed: Literal["external_refs"]
    system: Text = Field(description="The other system.")
    project_id: uuid.UUID | MISSING = Field(
        default=MISSING, description="The project that it belongs to, or that it is."
    )


class TeamMemberData(SubjectData):
    """A participant in a team."""

    model_config = _example(team_id=_PROJECT, participant_id=_OTHER)

    team_id: uuid.UUID
    participant_id: uuid.UUID


class RegisterData(SubjectData):
    """The register of a session; `id` and `url` are those of the session's."""

    model_config = _example(counts={"attended": 11, "absent": 2})

    counts: dict[str, Number] = Field(description="Rows that were written, by status.")


class DataPointData(ProjectPartData):
    """One data point."""

    model_config = _example(project_id=_PROJECT, measure_id=_MEASURE)

    measure_id: uuid.UUID


class DataPointBatchData(DataPointData):
    """Many data points at once; `id` is that of the measure, `url` that of its points."""

    model_config = _example(
        project_id=_PROJECT,
        measure_id=_MEASURE,
        created=24,
        updated=1,
        archived=0,
        excluded=0,
        exclusions_ended=0,
        **{"from": "2018-01-01", "to": "2018-06-11"},
    )

    created: Number
    updated: Number
    archived: Number
    excluded: Number
    exclusions_ended: Number
    first: date = Field(alias="from", description="The earliest period that was touched.")
    to: date = Field(description="The latest.")


class ExclusionBatchData(DataPointData):
    """Data points that were excluded or included together; `id` is that of the measure."""

    model_config = _example(
        project_id=_PROJECT,
        measure_id=_MEASURE,
        stratum="",
        changed=3,
        **{"from": "2018-01-01", "to": "2018-01-15"},
    )

    stratum: Text
    changed: Number
    first: date = Field(alias="from", description="The earliest period.")
    to: date = Field(description="The latest.")


class PhaseData(ProjectPartData):
    """A phase of a measure; with `from` and `to` where its status changed."""

    model_config = _example(
        project_id=_PROJECT,
        measure_id=_MEASURE,
        status="approved",
        starts_on="2018-03-05",
        **{"from": "proposed", "to": "approved"},
    )

    measure_id: uuid.UUID
    status: Text
    starts_on: date
    former: Text | MISSING = Field(default=MISSING, alias="from", description="The status before.")
    to: Text | MISSING = Field(default=MISSING, description="The status after.")


class AnnotationData(ProjectPartData):
    """A mark on a chart."""

    model_config = _example(project_id=_PROJECT, measure_id=_MEASURE)

    measure_id: uuid.UUID


class SignalData(ProjectPartData):
    """A signal that the default chart of a measure shows, or no longer shows."""

    model_config = _example(
        project_id=_PROJECT,
        measure_id=_MEASURE,
        detection_id=_OTHER,
        signal_id="1f0c52a94be803d7",
        rule="shift",
        rule_set="nhs_v1",
        direction="high",
        meaning="improvement",
        starts_on="2018-03-26",
        ends_on="2018-05-21",
        completed_on="2018-05-14",
        series_revision=27,
        chart_url=f"/api/v1/measures/{_MEASURE}/spc",
    )

    measure_id: uuid.UUID
    detection_id: uuid.UUID = Field(description="The same when it is retracted.")
    signal_id: Text = Field(description="That of the chart.")
    rule: Text
    rule_set: Text
    direction: Text | None
    meaning: Text
    starts_on: date
    ends_on: date
    completed_on: date | None = Field(description="Null for a signal about a whole phase.")
    series_revision: Number
    chart_url: Text


class MembershipData(SubjectData):
    """A role that somebody was given or lost; those of a participant's team say no more."""

    model_config = _example(user_id=_OTHER, role="coach", team_id=_PROJECT)

    user_id: uuid.UUID | MISSING = MISSING
    role: Text | MISSING = MISSING
    team_id: uuid.UUID | MISSING | None = MISSING


class WebhookEndpointData(SubjectData):
    """A subscriber of events."""

    model_config = _example(state="disabled")

    state: Text | MISSING = MISSING


class IntegrationData(SubjectData):
    """A connection to another platform."""

    model_config = _example(platform="openqi", system="lifeqi", state="enabled")

    platform: Text | MISSING = MISSING
    system: Text | MISSING = MISSING
    state: Text | MISSING = MISSING


class ReleaseData(ProjectPartData):
    """A project that was released to an audience, or is no longer."""

    model_config = _example(project_id=_PROJECT, audience="network", license="CC-BY-4.0")

    audience: Text
    license: Text
    superseded_by: uuid.UUID | MISSING = Field(
        default=MISSING, description="The release that took its place."
    )


class OperationData(SubjectData):
    """Long work that was asked for, or has ended."""

    model_config = _example(kind="data_points.import", state="succeeded")

    kind: Text
    state: Text
    project_id: uuid.UUID | MISSING = Field(
        default=MISSING, description="The project that it works on, if it is one."
    )
