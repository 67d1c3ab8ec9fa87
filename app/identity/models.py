"""Tables of people who log in."""

import uuid
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from app.kit.clock import utc_now
from app.kit.ids import new_id
from app.kit.table import Row, text_type


class UserState(StrEnum):
    """Whether a person may log in."""

    ACTIVE = "active"
    DISABLED = "disabled"


class User(Row, table=True):
    """A person who can log in. E-mail addresses are stored in lower case and are unique."""

    __tablename__ = "app_user"

    email: str = Field(unique=True, sa_type=text_type(254))
    display_name: str = Field(sa_type=text_type(200))
    password_hash: str = Field(sa_type=text_type(255))
    disabled_at: datetime | None = None

    @property
    def is_active(self) -> bool:
        """Whether the person may log in."""
        return self.disabled_at is None

    @property
    def state(self) -> UserState:
        """The same as a word."""
        return UserState.ACTIVE if self.is_active else UserState.DISABLED


class LoginSession(SQLModel, table=True):
    """One login. Every request reads it, so ending it ends all its access tokens at once."""

    __tablename__ = "login_session"

    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    user_id: uuid.UUID = Field(foreign_key="app_user.id", index=True)
    user_agent: str = Field(default="", sa_type=text_type(300))
    created_at: datetime = Field(default_factory=utc_now)
    expires_at: datetime
    ended_at: datetime | None = None


class LoginAttempt(SQLModel, table=True):
    """A failed login, counted against the account (kept as a hash) and the address."""

    __tablename__ = "login_attempt"
    __table_args__ = (
        sa.Index("ix_login_attempt_account_failed_at", "account", "failed_at"),
        sa.Index("ix_login_attempt_address_failed_at", "address", "failed_at"),
    )

    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    account: str = Field(sa_type=text_type(64))
    address: str = Field(sa_type=text_type(64))
    failed_at: datetime


TOKEN_PREFIX = "qipat"  # noqa: S105 - tells a personal token from an access token


class PersonalToken(Row, table=True):
    """A scoped, expiring token of one person, for integrations; only its hash is kept."""

    __tablename__ = "personal_token"

    user_id: uuid.UUID = Field(foreign_key="app_user.id", index=True)
    name: str = Field(sa_type=text_type(200))
    secret_hash: str = Field(unique=True, sa_type=text_type(64))
    hint: str = Field(sa_type=text_type(8))
    scopes: list[str] = Field(sa_type=sa.JSON)
    programme_id: uuid.UUID | None = Field(default=None, foreign_key="programme.id")
    expires_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
