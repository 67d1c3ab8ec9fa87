"""A model of the whole message for each type of event that can leave the house."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import MISSING, BaseModel, ConfigDict, Field, create_model

from app.events.catalogue import Resource, Verb, path_of
from app.references.resources import ResourceType
from app.webhooks.messages import subjects
from app.webhooks.messages.subjects import SubjectData
from app.webhooks.subscriptions import TOLD

# What a noun's events say, and where one type says more or less than the others of its noun.
_OF_NOUN: dict[Resource, Any] = {
    Resource.PROJECT: subjects.ProjectPartData,
    Resource.PDSA_CYCLE: subjects.ProjectPartData,
    Resource.MEASURE: subjects.ProjectPartData,
    Resource.ATTENDANCE: subjects.RegisterData,
    Resource.DATA_POINT: subjects.DataPointData,
    Resource.PHASE: subjects.PhaseData,
    Resource.ANNOTATION: subjects.AnnotationData,
    Resource.MEMBERSHIP: subjects.MembershipData,
    Resource.WEBHOOK_ENDPOINT: subjects.WebhookEndpointData,
    Resource.INTEGRATION: subjects.IntegrationData,
    Resource.RELEASE: subjects.ReleaseData,
    Resource.OPERATION: subjects.OperationData,
}
_OF_TYPE: dict[str, Any] = {
    "programme.state_changed": subjects.StateChangeData,
    "participant.state_changed": subjects.StateChangeData,
    "session.state_changed": subjects.StateChangeData,
    "project.state_changed": subjects.ProjectStateChangeData,
    "pdsa_cycle.state_changed": subjects.PDSACycleStateChangeData,
    "team_member.created": subjects.TeamMemberData,
    "team_member.ended": subjects.TeamMemberData,
    "measure.signal_detected": subjects.SignalData,
    "measure.signal_retracted": subjects.SignalData,
    "data_point.recorded": subjects.DataPointData | subjects.DataPointBatchData,
    "data_point.excluded": subjects.DataPointData | subjects.ExclusionBatchData,
    "data_point.included": subjects.DataPointData | subjects.ExclusionBatchData,
    # Archiving and restoring say which, no more.
    "data_point.archived": subjects.ProjectPartData,
    "data_point.restored": subjects.ProjectPartData,
    "phase.archived": subjects.ProjectPartData,
    "annotation.archived": subjects.ProjectPartData,
    "annotation.restored": subjects.ProjectPartData,
}
# What other systems call these is told by their `updated` too.
_NAMED = frozenset(f"{noun.value}.{Verb.UPDATED}" for noun in ResourceType)


class Message(BaseModel):
    """The envelope that all messages share."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, Field(pattern=r"^evt_[0-9a-f]{32}$")] = Field(
        description="That of the header `webhook-id`: the same in every attempt and replay."
    )
    type: str
    timestamp: datetime = Field(description="When it happened.")
    seq: Annotated[int, Field(ge=1)] | MISSING = Field(
        default=MISSING, description="Its place in the feed; a test message may have none."
    )
    data: Any


def data_of(name: str) -> Any:
    """The shape of `data` of a type."""
    shape = _OF_TYPE.get(name) or _OF_NOUN.get(Resource(name.split(".")[0]), SubjectData)
    return shape | subjects.ExternalReferenceData if name in _NAMED else shape


def first_shape(name: str) -> type[SubjectData]:
    """The shape of `data`, the first where there are two."""
    shape = data_of(name)
    found: type[SubjectData] = getattr(shape, "__args__", (shape,))[0]
    return found


def example_of(name: str) -> dict[str, Any]:
    """A message of the type as it could be."""
    data: dict[str, Any] = first_shape(name).model_config["json_schema_extra"]["examples"][0]  # type: ignore[index, assignment]
    noun, verb = name.split(".")
    url = data["url"].replace("resources", path_of(Resource(noun)))
    if noun == Resource.ATTENDANCE:
        url = f"/api/v1/sessions/{data['id']}/attendance"
    if noun == Resource.PROJECT:
        data = {**data, "project_id": data["id"]}
    return {
        "id": "evt_0193a0c27d7e7bd09c7b0f6a3b1c2d3e",
        "type": name,
        "timestamp": "2018-01-08T09:30:00Z",
        "seq": 4711,
        "data": {**data, "url": url, "revision": 1 if verb == "created" else data["revision"]},
    }


def _model(name: str) -> type[Message]:
    words = name.replace("pdsa", "PDSA").replace(".", "_").split("_")
    title = "".join(word if word.isupper() else word.capitalize() for word in words)
    fields: dict[str, Any] = {
        "type": (Literal[name], ...),
        "data": (data_of(name), ...),
    }
    made: type[Message] = create_model(f"{title}Message", __base__=Message, **fields)
    made.__doc__ = f"What a webhook sends for `{name}`."
    made.model_config["json_schema_extra"] = {"examples": [example_of(name)]}
    made.model_rebuild(force=True)
    return made


MESSAGES: dict[str, type[Message]] = {name: _model(name) for name in sorted(TOLD)}
