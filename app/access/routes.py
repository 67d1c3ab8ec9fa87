"""Routes of access: who calls, the role table, and the routers of people, roles and logins."""

from fastapi import Request

from app.access import actions, queries
from app.access.actions import WrongPassword
from app.access.actor import LoginRequired
from app.access.dependencies import CurrentActor
from app.access.logins.routes import router as logins
from app.access.memberships.routes import router as memberships
from app.access.schemas import MeRead, PasswordChange, RoleTable
from app.access.tokens.routes import router as tokens
from app.access.users.routes import router as users
from app.identity.actions import TooManyFailures, record_failed_login
from app.identity.dependencies import ClientAddress, CurrentPasswords
from app.identity.passwords import WeakPassword
from app.kit.dependencies import NoIdempotency, NoStore, Now, ReadSession, WriteSession
from app.kit.openapi import problems
from app.kit.routing import Router

router = Router(dependencies=[NoStore])
for part in (logins, tokens, users, memberships):
    router.include_router(part)


@router.get("/me", tags=["me"], summary="Who am I?")
def get_me(actor: CurrentActor) -> MeRead:
    """You, your roles of today, and what you may do where. A personal token narrows it."""
    return queries.get_me(actor=actor)


@router.post(
    "/me/password",
    tags=["me"],
    status_code=204,
    summary="Change my password",
    dependencies=[NoIdempotency],
    responses=problems(LoginRequired, WrongPassword, WeakPassword, TooManyFailures),
)
def change_password(
    data: PasswordChange,
    request: Request,
    actor: CurrentActor,
    reading: ReadSession,
    writing: WriteSession,
    passwords: CurrentPasswords,
    address: ClientAddress,
    now: Now,
) -> None:
    """Needs the present password, and ends your other logins unless you say otherwise.

    Wrong guesses count like failed logins: after too many of them this answers 429.
    """
    state = request.app.state
    try:
        confirmed = actions.confirm_password(
            reading,
            actor=actor,
            passwords=passwords,
            password=data.current_password.get_secret_value(),
            address=address,
            allowance=state.settings.login_attempts,
            now=now,
        )
    except WrongPassword:
        # A transaction of its own: that of the request rolls back with the refusal.
        with state.database.transaction() as counting:
            record_failed_login(counting, email=actor.email, address=address, now=now)
        raise
    actions.change_password(
        writing,
        actor=actor,
        passwords=passwords,
        confirmed_hash=confirmed,
        new_password=data.new_password.get_secret_value(),
        end_other_sessions=data.end_other_sessions,
        now=now,
    )


@router.get("/roles", tags=["me"], summary="List roles and scopes")
def list_roles(actor: CurrentActor) -> RoleTable:
    """What each role may do and how far, and what each scope of a token lets through."""
    return queries.list_roles()
