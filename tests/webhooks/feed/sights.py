"""The sight of a person, as a request of theirs would have it."""

from datetime import timedelta

from sqlmodel import Session

from app.access.queries import find_actor_by_login
from app.identity.models import LoginSession, User
from app.kit.clock import utc_now
from app.webhooks.feed.queries import Sight


def sight_of(session: Session, user: User) -> Sight:
    """What the person may hear of today."""
    now = utc_now()
    login = LoginSession(user_id=user.id, expires_at=now + timedelta(hours=1))
    session.add(login)
    session.commit()
    actor = find_actor_by_login(
        session.connection(), user_id=user.id, session_id=login.id, request_id=None, now=now
    )
    assert actor is not None
    return Sight.of(actor)
