"""A place among the viewers of the stream, for as long as the answer lasts."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Header, Query, Request
from fastapi.responses import Response
from starlette.types import Message, Receive, Scope, Send

from app.access.actor import Actor
from app.access.dependencies import CurrentActor, bearer, identify
from app.kit.fields import INT8_SAFE_MAX
from app.kit.routing import Route
from app.webhooks.feed.schemas import EventFilter
from app.webhooks.feed.viewers import Viewer, Viewers


async def viewer(
    request: Request,
    actor: CurrentActor,
    wanted: Annotated[EventFilter, Query()],
    last_event_id: Annotated[
        int | None,
        Header(
            alias="Last-Event-ID",
            ge=0,
            le=INT8_SAFE_MAX,
            description="The `id` of the last event that you have; without it, from now on.",
        ),
    ] = None,
) -> AsyncIterator[Viewer]:
    """The caller as a viewer. Its rights are looked at again while it watches."""

    def renew() -> Actor:
        with request.app.state.database.connect() as connection:
            return identify(request, connection, bearer.verify(request))

    viewers: Viewers = request.app.state.viewers
    async with viewers.seat(
        actor=actor, wanted=wanted, position=last_event_id, renew=renew
    ) as seated:
        request.state.viewer = seated
        yield seated


CurrentViewer = Annotated[Viewer, Depends(viewer)]


class StreamRoute(Route):
    """A route whose answer is cut where its viewer does not take the last word in time.

    A stream that waits for a full connection cannot end itself; taking the caller for gone does it.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_stream(request: Request) -> Response:
            return _Severable(await handle(request), request.state.viewer.severed)

        return handle_stream


class _Severable(Response):
    """A response that hears of its caller's leaving when `severed` is set."""

    def __init__(self, inner: Response, severed: asyncio.Event) -> None:
        super().__init__()
        self._inner, self._severed = inner, severed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def receive_or_leave() -> Message:
            tasks = [
                asyncio.ensure_future(receive()),
                asyncio.ensure_future(self._severed.wait()),
            ]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                if self._severed.is_set():
                    return {"type": "http.disconnect"}
                return tasks[0].result()  # type: ignore[return-value]
            finally:
                for task in tasks:
                    task.cancel()

        await self._inner(scope, receive_or_leave, send)
