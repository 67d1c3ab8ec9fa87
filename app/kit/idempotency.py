"""Idempotency-Key: a repeated POST gets the first answer; claim and write are one transaction."""

import hashlib
import uuid
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from fastapi import FastAPI, Request
from fastapi.responses import Response
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlmodel import Field, Session, SQLModel

from app.kit.clock import utc_now
from app.kit.database_errors import is_busy
from app.kit.errors import BadRequest, Conflict, FieldError, Invalid
from app.kit.table import text_type
from app.kit.upsert import insert_for

HEADER = "Idempotency-Key"
KEPT_FOR = timedelta(hours=48)
_KEPT_HEADERS = ("location", "etag", "content-type")


class IdempotencyKeyReused(Invalid):
    """422: the key came before with another request; a new request needs a new key."""

    code = "idempotency_key_reused"
    title = "This Idempotency-Key was used for another request."


class IdempotencyKeyRefused(BadRequest):
    """400: the key is malformed, or the route handles a secret that must not be stored."""

    code = "idempotency_key_refused"
    title = "This Idempotency-Key cannot be taken here."

    def __init__(self, detail: str) -> None:
        super().__init__(detail, errors=[FieldError(code=self.code, detail=detail, header=HEADER)])


class IdempotencyInProgress(Conflict):
    """409: the first request with this key is still at work; ask again soon."""

    code = "idempotency_in_progress"
    title = "The first request with this Idempotency-Key is still at work."


class Replay(Exception):
    """Ends the request with the stored answer; the transaction rolls back."""

    def __init__(self, status: int, headers: dict[str, str], body: str) -> None:
        self.status, self.headers, self.body = status, headers, body


class IdempotencyKey(SQLModel, table=True):
    """One key of one caller, with the answer that it got."""

    __tablename__ = "idempotency_key"

    principal_id: uuid.UUID = Field(primary_key=True)
    key: str = Field(primary_key=True, sa_type=text_type(255))
    fingerprint: str = Field(sa_type=text_type(64))
    status: int | None = None
    headers: dict[str, str] = Field(default_factory=dict, sa_type=sa.JSON)
    body: str = Field(default="", sa_type=sa.Text)
    created_at: datetime = Field(default_factory=utc_now, index=True)


class Claim:
    """The claim of one request on its key. It is made by the first statement of the transaction,

    so a twin waits on the unique index until the first one has committed and then replays it.
    """

    def __init__(self, request: Request, key: str, body: bytes) -> None:
        self.request = request
        self.key = key.strip().strip('"')
        if not 1 <= len(self.key) <= 255 or not self.key.isprintable():
            raise IdempotencyKeyRefused("Give 1 to 255 printable characters.")
        content_type = request.headers.get("content-type", "")
        head = f"{request.method}\n{request.url.path}?{request.url.query}\n{content_type}\n"
        self.fingerprint = hashlib.sha256(head.encode() + body).hexdigest()

    @property
    def principal_id(self) -> uuid.UUID:
        """Who calls, as `access.dependencies` noted it."""
        principal: uuid.UUID = self.request.state.principal_id
        return principal

    def take(self, connection: sa.Connection) -> None:
        """Insert the claim, or raise `Replay` with the stored answer."""
        table = IdempotencyKey.__table__  # type: ignore[attr-defined]
        statement = (
            insert_for(connection, table)
            .values(
                principal_id=self.principal_id,
                key=self.key,
                fingerprint=self.fingerprint,
                headers={},
                body="",
                created_at=utc_now(),
            )
            .on_conflict_do_nothing()
            .returning(table.c.key)  # never rowcount: it is -1 on psycopg (measured)
        )
        expired = sa.delete(table).where(
            table.c.principal_id == self.principal_id, table.c.created_at < utc_now() - KEPT_FOR
        )
        try:
            connection.execute(expired)
            claimed = connection.execute(statement).first()
        except DBAPIError as error:
            if is_busy(error):  # the twin that holds the key takes longer than the lock time-out
                raise IdempotencyInProgress from error
            raise
        if claimed is not None:
            return
        where = (table.c.principal_id == self.principal_id, table.c.key == self.key)
        stored = connection.execute(sa.select(table).where(*where)).one()
        if stored.fingerprint != self.fingerprint:
            fault = FieldError(
                code=IdempotencyKeyReused.code, detail=IdempotencyKeyReused.title, header=HEADER
            )
            raise IdempotencyKeyReused(errors=[fault])
        raise Replay(stored.status, stored.headers, stored.body)

    def store(self, session: Session, response: Response) -> None:
        """Keep the answer beside the claim, before the one commit of both."""
        session.execute(
            sa.update(IdempotencyKey)
            .where(
                sa.and_(
                    IdempotencyKey.principal_id == self.principal_id,  # type: ignore[arg-type]
                    IdempotencyKey.key == self.key,  # type: ignore[arg-type]
                )
            )
            .values(
                status=response.status_code,
                headers={
                    name: response.headers[name]
                    for name in _KEPT_HEADERS
                    if name in response.headers
                },
                body=bytes(response.body).decode(),
            )
        )


@event.listens_for(Session, "after_begin")
def _claim_first(session: Any, _transaction: Any, connection: sa.Connection) -> None:
    claim = session.info.pop("claim", None)
    if claim is not None:
        claim.take(connection)


def install(app: FastAPI) -> None:
    """Answer a `Replay` with what was stored."""

    @app.exception_handler(Replay)
    async def answer_again(_request: Request, replay: Replay) -> Response:
        return Response(
            replay.body, replay.status, {**replay.headers, "Idempotency-Replayed": "true"}
        )


async def refuse_key(request: Request) -> None:
    """Dependency of routes with a secret: the replay table must keep no answer that holds one,

    nor the fast hash of a request that holds a password.
    """
    if HEADER in request.headers:
        raise IdempotencyKeyRefused("This route handles a secret, so nothing of it is stored.")
