"""What routes ask of the kit: sessions, the present instant, preconditions, a pager."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any

import anyio.to_thread
from anyio import CapacityLimiter, Semaphore, WouldBlock
from fastapi import Depends, Header, Request, Response
from sqlmodel import Session

from app.kit import db, idempotency
from app.kit.clock import utc_now
from app.kit.errors import Unavailable
from app.kit.pagination import Pager
from app.kit.preconditions import Precondition
from app.kit.sealing import Sealer

# Both generators are `async def` because making a session is pure CPU: it connects in the
# endpoint's own thread, at its first statement. What does touch the database at the end runs in a
# thread with a limiter of its own, so it never waits behind requests that wait for its connection.


async def _in_own_thread(work: Any) -> None:
    await anyio.to_thread.run_sync(work, limiter=CapacityLimiter(1))


@asynccontextmanager
async def _turn(turns: Semaphore) -> AsyncIterator[None]:
    """One of the turns, as long as the session lives. Raises `Unavailable` if none comes free."""
    try:
        turns.acquire_nowait()
    except WouldBlock:
        try:
            with anyio.fail_after(db.POOL_TIMEOUT_SECONDS):
                await turns.acquire()
        except TimeoutError as fault:
            raise Unavailable from fault
    try:
        yield
    finally:
        turns.release()


async def read_session(request: Request) -> AsyncIterator[Session]:
    """A session for reads; each statement sees its own snapshot."""
    database = request.app.state.database
    async with _turn(database.read_turns):
        session = database.reading()
        try:
            yield session
        finally:
            session.close()  # hands the connection back; AUTOCOMMIT, so without a round trip


async def write_session(request: Request) -> AsyncIterator[Session]:
    """One transaction: committed after the response is serialised and before it is sent."""
    info = {}
    if request.method == "POST" and (key := request.headers.get(idempotency.HEADER)) is not None:
        claim = idempotency.Claim(request, key, await request.body())
        info["claim"] = request.state.claim = claim
    database = request.app.state.database
    async with _turn(database.write_turns):
        session = request.state.write_session = database.writing(**info)
        try:
            yield session
        except BaseException:
            await _in_own_thread(session.close)
            raise
        else:
            try:
                await _in_own_thread(session.commit)
            finally:
                await _in_own_thread(session.close)


def instant_of(request: Request) -> datetime:
    """The present instant, from the application's clock."""
    clock = getattr(request.app.state, "clock", utc_now)
    instant: datetime = clock()
    return instant


async def now(request: Request) -> datetime:
    """The instant of the request."""
    return instant_of(request)


async def precondition(
    if_match: Annotated[
        str | None,
        Header(
            alias="If-Match", description="The ETag that you read; `*` for any.", max_length=500
        ),
    ] = None,
) -> Precondition:
    """If-Match of a PATCH, PUT or DELETE."""
    return Precondition(if_match=if_match)


async def put_precondition(
    if_match: Annotated[
        str | None,
        Header(
            alias="If-Match", description="The ETag that you read, if it exists.", max_length=500
        ),
    ] = None,
    if_none_match: Annotated[
        str | None,
        Header(alias="If-None-Match", description="`*`: create only.", max_length=500),
    ] = None,
) -> Precondition:
    """If-Match or If-None-Match of a PUT that creates or replaces."""
    return Precondition(if_match=if_match, if_none_match=if_none_match)


async def pager(request: Request, response: Response) -> Pager:
    """Pages lists; the cursor is bound to the address, the filters and the caller."""

    def link(cursor: str) -> None:
        url = request.url.include_query_params(cursor=cursor)
        response.headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'

    def binding() -> str:
        return f"{request.url.path}\n{getattr(request.state, 'principal_id', '')}"

    return Pager(secret=request.app.state.cursor_secret, binding=binding, link=link)


async def no_store(response: Response) -> None:
    """For routes that answer with data of persons: no cache keeps them."""
    response.headers["Cache-Control"] = "no-store"


async def sealer(request: Request) -> Sealer:
    """What seals the secrets that must be read again."""
    found: Sealer = request.app.state.parts.sealer
    return found


ReadSession = Annotated[Session, Depends(read_session, scope="function")]
WriteSession = Annotated[Session, Depends(write_session, scope="function")]
Now = Annotated[datetime, Depends(now)]
IfMatch = Annotated[Precondition, Depends(precondition)]
PutCondition = Annotated[Precondition, Depends(put_precondition)]
CurrentPager = Annotated[Pager, Depends(pager)]
CurrentSealer = Annotated[Sealer, Depends(sealer)]
NoStore = Depends(no_store)
NoIdempotency = Depends(idempotency.refuse_key)
