"""Every type of event, as one table: which resources there are and what can happen to them."""

from enum import StrEnum

from app.kit.answers import API_PREFIX


class Resource(StrEnum):
    """The nouns that events speak of, with the path segment of their address."""

    ORGANISATION = "organisation"
    PROGRAMME = "programme"
    PARTICIPANT = "participant"
    TEAM = "team"
    TEAM_MEMBER = "team_member"
    SESSION = "session"
    ATTENDANCE = "attendance"
    PROJECT = "project"
    PDSA_CYCLE = "pdsa_cycle"
    MEASURE = "measure"
    DATA_POINT = "data_point"
    PHASE = "phase"
    ANNOTATION = "annotation"
    USER = "user"
    MEMBERSHIP = "membership"
    LOGIN_SESSION = "login_session"
    PERSONAL_TOKEN = "personal_token"  # noqa: S105 - a noun
    WEBHOOK_ENDPOINT = "webhook_endpoint"
    INTEGRATION = "integration"
    RELEASE = "release"
    OPERATION = "operation"


class Verb(StrEnum):
    """What can happen. The first five go with every resource that has a life of its own."""

    CREATED = "created"
    UPDATED = "updated"
    ARCHIVED = "archived"
    RESTORED = "restored"
    STATE_CHANGED = "state_changed"
    RECORDED = "recorded"
    CORRECTED = "corrected"
    EXCLUDED = "excluded"
    INCLUDED = "included"
    PROPOSED = "proposed"
    APPROVED = "approved"
    ENDED = "ended"
    SIGNAL_DETECTED = "signal_detected"
    SIGNAL_RETRACTED = "signal_retracted"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"
    FINISHED = "finished"
    PINGED = "pinged"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - an event


_LIFE = (Verb.CREATED, Verb.UPDATED, Verb.ARCHIVED, Verb.RESTORED, Verb.STATE_CHANGED)
_VERBS: dict[Resource, tuple[Verb, ...]] = {
    Resource.ORGANISATION: _LIFE[:4],
    Resource.PROGRAMME: _LIFE,
    Resource.PARTICIPANT: _LIFE,
    Resource.TEAM: _LIFE[:4],
    Resource.TEAM_MEMBER: (Verb.CREATED, Verb.UPDATED, Verb.ENDED),
    Resource.SESSION: _LIFE,
    Resource.ATTENDANCE: (Verb.RECORDED,),
    Resource.PROJECT: _LIFE,
    Resource.PDSA_CYCLE: _LIFE,
    Resource.MEASURE: (*_LIFE[:4], Verb.SIGNAL_DETECTED, Verb.SIGNAL_RETRACTED),
    Resource.DATA_POINT: (
        Verb.RECORDED,
        Verb.CORRECTED,
        Verb.EXCLUDED,
        Verb.INCLUDED,
        Verb.ARCHIVED,
        Verb.RESTORED,
    ),
    Resource.PHASE: (*_LIFE, Verb.PROPOSED, Verb.APPROVED),
    Resource.ANNOTATION: _LIFE[:4],
    Resource.USER: (*_LIFE[:2], Verb.STATE_CHANGED, Verb.PASSWORD_CHANGED),
    Resource.MEMBERSHIP: (Verb.CREATED, Verb.ENDED),
    Resource.LOGIN_SESSION: (Verb.CREATED, Verb.ENDED),
    Resource.PERSONAL_TOKEN: (Verb.CREATED, Verb.ENDED),
    Resource.WEBHOOK_ENDPOINT: (*_LIFE[:3], Verb.STATE_CHANGED, Verb.PINGED),
    Resource.INTEGRATION: (*_LIFE[:3], Verb.STATE_CHANGED),
    Resource.RELEASE: (Verb.PUBLISHED, Verb.WITHDRAWN),
    Resource.OPERATION: (Verb.CREATED, Verb.FINISHED),
}
EVENT_TYPES = frozenset(f"{noun}.{verb}" for noun, verbs in _VERBS.items() for verb in verbs)

_PATHS = {
    Resource.PARTICIPANT: "participants",
    Resource.PDSA_CYCLE: "pdsa-cycles",
    Resource.TEAM_MEMBER: "team-members",
    Resource.DATA_POINT: "data-points",
    Resource.LOGIN_SESSION: "auth/sessions",
    Resource.PERSONAL_TOKEN: "auth/tokens",
    Resource.WEBHOOK_ENDPOINT: "webhook-endpoints",
}


def event_type(noun: Resource, verb: Verb) -> str:
    """The type such as `project.state_changed`. Raises ValueError if it is not listed."""
    name = f"{noun}.{verb}"
    if name not in EVENT_TYPES:
        raise ValueError(f"{name} is not in the catalogue of events")
    return name


def path_of(noun: Resource) -> str:
    """The path segment of a resource, such as `pdsa-cycles`."""
    return _PATHS.get(noun, f"{noun}s")


def address_of(noun: Resource, resource_id: object) -> str:
    """The API address of a resource."""
    if noun is Resource.ATTENDANCE:
        return f"{API_PREFIX}/sessions/{resource_id}/attendance"
    return f"{API_PREFIX}/{path_of(noun)}/{resource_id}"
