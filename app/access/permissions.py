"""Who may do what, on one screen. Used as a WHERE clause (`visible_to`) and as `actor.require`."""

from enum import IntEnum, StrEnum

from app.events.catalogue import Resource


class Permission(StrEnum):
    """`noun:verb`. Reading a measure includes its data points and charts."""

    ORGANISATION_READ = "organisation:read"
    ORGANISATION_CREATE = "organisation:create"
    ORGANISATION_WRITE = "organisation:write"
    PROGRAMME_READ = "programme:read"
    PROGRAMME_CREATE = "programme:create"
    PROGRAMME_WRITE = "programme:write"
    PROGRAMME_ARCHIVE = "programme:archive"
    PARTICIPANT_READ = "participant:read"
    PARTICIPANT_CONTACT = "participant:contact"
    PARTICIPANT_WRITE = "participant:write"
    TEAM_READ = "team:read"
    TEAM_WRITE = "team:write"
    SESSION_READ = "session:read"
    SESSION_WRITE = "session:write"
    ATTENDANCE_READ = "attendance:read"
    ATTENDANCE_RECORD = "attendance:record"
    PROJECT_READ = "project:read"
    PROJECT_WRITE = "project:write"
    PROJECT_TRANSITION = "project:transition"
    PDSA_CYCLE_READ = "pdsa_cycle:read"
    PDSA_CYCLE_WRITE = "pdsa_cycle:write"
    MEASURE_READ = "measure:read"
    MEASURE_WRITE = "measure:write"
    DATA_POINT_RECORD = "data_point:record"
    USER_READ = "user:read"
    USER_WRITE = "user:write"
    MEMBERSHIP_READ = "membership:read"
    MEMBERSHIP_GRANT = "membership:grant"
    WEBHOOK_READ = "webhook:read"
    WEBHOOK_WRITE = "webhook:write"
    INTEGRATION_READ = "integration:read"
    INTEGRATION_WRITE = "integration:write"
    RELEASE_READ = "release:read"
    RELEASE_WRITE = "release:write"
    OPERATION_READ = "operation:read"
    JOB_READ = "job:read"
    JOB_WRITE = "job:write"


class Role(StrEnum):
    """The roles of a membership. Sponsor and patient partner are labels on observer and member."""

    PLATFORM_ADMIN = "platform_admin"
    PROVIDER_ADMIN = "provider_admin"
    FACILITATOR = "facilitator"
    COACH = "coach"
    TEAM_LEAD = "team_lead"
    MEMBER = "member"
    COMMISSIONER = "commissioner"
    OBSERVER = "observer"
    INTEGRATION = "integration"


class Reach(IntEnum):
    """How far a role's permission goes from the place of its membership."""

    TEAM = 1
    PROGRAMME = 2
    PLATFORM = 3


P, R = Permission, Reach
_READ_PROGRAMME = (P.ORGANISATION_READ, P.PROGRAMME_READ, P.TEAM_READ, P.SESSION_READ)
READ_WORK = (P.PROJECT_READ, P.PDSA_CYCLE_READ, P.MEASURE_READ)
_WRITE_WORK = (P.PROJECT_WRITE, P.PROJECT_TRANSITION, P.PDSA_CYCLE_WRITE, P.MEASURE_WRITE)
_PEOPLE = (P.PARTICIPANT_READ, P.ATTENDANCE_READ)
_RUN_PROGRAMME = (
    *_READ_PROGRAMME,
    *READ_WORK,
    *_WRITE_WORK,
    *_PEOPLE,
    P.DATA_POINT_RECORD,
    P.ORGANISATION_CREATE,
    P.PROGRAMME_WRITE,
    P.PARTICIPANT_CONTACT,
    P.PARTICIPANT_WRITE,
    P.TEAM_WRITE,
    P.SESSION_WRITE,
    P.ATTENDANCE_RECORD,
    P.MEMBERSHIP_READ,
    P.MEMBERSHIP_GRANT,
    P.WEBHOOK_READ,
    P.WEBHOOK_WRITE,
    P.INTEGRATION_READ,
    P.INTEGRATION_WRITE,
    P.RELEASE_READ,
    P.RELEASE_WRITE,
    P.OPERATION_READ,
)


def _at(reach: Reach, *permissions: Permission) -> dict[Permission, Reach]:
    return dict.fromkeys(permissions, reach)


ROLES: dict[Role, dict[Permission, Reach]] = {
    Role.PLATFORM_ADMIN: _at(R.PLATFORM, *Permission),
    Role.PROVIDER_ADMIN: _at(
        R.PROGRAMME, *_RUN_PROGRAMME, P.PROGRAMME_ARCHIVE, P.ORGANISATION_WRITE
    ),
    Role.FACILITATOR: _at(R.PROGRAMME, *_RUN_PROGRAMME),
    Role.COACH: _at(R.PROGRAMME, *_READ_PROGRAMME, *READ_WORK, *_PEOPLE)
    | _at(R.TEAM, *_WRITE_WORK, P.DATA_POINT_RECORD, P.PARTICIPANT_CONTACT)
    | _at(R.TEAM, P.RELEASE_READ),
    Role.TEAM_LEAD: _at(R.PROGRAMME, *_READ_PROGRAMME, P.PARTICIPANT_READ)
    | _at(R.TEAM, *READ_WORK, *_WRITE_WORK, P.DATA_POINT_RECORD)
    | _at(R.TEAM, P.PARTICIPANT_CONTACT, P.TEAM_WRITE, P.ATTENDANCE_READ)
    | _at(R.TEAM, P.RELEASE_READ, P.RELEASE_WRITE),
    Role.MEMBER: _at(R.PROGRAMME, *_READ_PROGRAMME, P.PARTICIPANT_READ)
    | _at(R.TEAM, *READ_WORK, P.PDSA_CYCLE_WRITE, P.DATA_POINT_RECORD, P.ATTENDANCE_READ)
    | _at(R.TEAM, P.RELEASE_READ),
    Role.COMMISSIONER: _at(R.PROGRAMME, *_READ_PROGRAMME),
    Role.OBSERVER: _at(R.PROGRAMME, *_READ_PROGRAMME, *READ_WORK, *_PEOPLE),
    Role.INTEGRATION: _at(R.PROGRAMME, *_READ_PROGRAMME, *READ_WORK)
    | _at(R.PROGRAMME, P.PDSA_CYCLE_WRITE, P.MEASURE_WRITE, P.DATA_POINT_RECORD)
    | _at(R.PROGRAMME, P.WEBHOOK_READ, P.WEBHOOK_WRITE, P.RELEASE_READ),
}
# Where a role's membership must point, and which roles a granter below the platform may give.
TEAM_ROLES = frozenset({Role.COACH, Role.TEAM_LEAD, Role.MEMBER})
GRANTABLE: dict[Role, frozenset[Role]] = {
    Role.PLATFORM_ADMIN: frozenset(Role),
    Role.PROVIDER_ADMIN: frozenset(Role) - {Role.PLATFORM_ADMIN},
    Role.FACILITATOR: TEAM_ROLES | {Role.COMMISSIONER, Role.OBSERVER},
}
# What these govern lies in no programme, so a token that is bound to one never has them.
PLATFORM_ONLY = frozenset(
    {
        Permission.ORGANISATION_WRITE,
        Permission.PROGRAMME_CREATE,
        Permission.USER_READ,
        Permission.USER_WRITE,
        Permission.JOB_READ,
        Permission.JOB_WRITE,
    }
)
# What whoever hears of an event must be allowed to read. What is not listed stays in the house.
READ_BY_NOUN: dict[Resource, Permission] = {
    Resource.PROGRAMME: Permission.PROGRAMME_READ,
    Resource.PARTICIPANT: Permission.PARTICIPANT_READ,
    Resource.TEAM: Permission.TEAM_READ,
    Resource.TEAM_MEMBER: Permission.TEAM_READ,
    Resource.SESSION: Permission.SESSION_READ,
    Resource.ATTENDANCE: Permission.ATTENDANCE_READ,
    Resource.PROJECT: Permission.PROJECT_READ,
    Resource.PDSA_CYCLE: Permission.PDSA_CYCLE_READ,
    Resource.MEASURE: Permission.MEASURE_READ,
    Resource.DATA_POINT: Permission.MEASURE_READ,
    Resource.PHASE: Permission.MEASURE_READ,
    Resource.ANNOTATION: Permission.MEASURE_READ,
    Resource.MEMBERSHIP: Permission.MEMBERSHIP_READ,
    Resource.WEBHOOK_ENDPOINT: Permission.WEBHOOK_READ,
    Resource.INTEGRATION: Permission.INTEGRATION_READ,
    Resource.RELEASE: Permission.RELEASE_READ,
    Resource.OPERATION: Permission.OPERATION_READ,
}

ADMIN_SCOPE = "admin"
_ADMIN_NOUNS = frozenset({"user", "membership", "job"})


def scope_of(permission: Permission) -> str:
    """The token scope that a permission needs: `<noun>:read`, `:contact`, `:write`, or `admin`."""
    noun, verb = permission.split(":")
    if noun in _ADMIN_NOUNS:
        return ADMIN_SCOPE
    return f"{noun}:{verb}" if verb in {"read", "contact"} else f"{noun}:write"


SCOPES = frozenset(scope_of(permission) for permission in Permission)
