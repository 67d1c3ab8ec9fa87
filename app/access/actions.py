"""Administration of people, roles, logins and tokens."""

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col

from app.identity.models import PersonalToken


def note_token_use(session: Session, *, token_id: uuid.UUID | None, now: datetime) -> None:
    """Remember when a token was last used; its revision stays, so no edit of it is disturbed."""
    session.execute(
        sa.update(PersonalToken).where(col(PersonalToken.id) == token_id).values(last_used_at=now)
    )
