"""Wires the application together: settings, database, tokens, layers, routes."""

import hashlib
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import timedelta
from functools import partial
from typing import Any

import anyio.to_thread
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import compile_path
from starlette.types import ASGIApp

from app import __version__, api
from app.events.dispatching import FEED
from app.identity.passwords import Passwords
from app.identity.tokens import AccessTokens
from app.jobs import figures as jobs
from app.jobs.waking import bell_of, hearing
from app.kit import idempotency, middleware, problems
from app.kit.db import POOL_SIZE, Database
from app.kit.limiting import Limiter
from app.kit.telemetry import Observed, tracing
from app.parts import Parts, add_database_gauges, make_parts
from app.settings import Settings
from app.webhooks.feed.viewers import Limits, Viewers

Background = Callable[[Parts], AbstractAsyncContextManager[Any]]


class OpenQI(FastAPI):
    """FastAPI inside the layers of `kit.middleware`, which also cover its own 500 answers."""

    def build_middleware_stack(self) -> ASGIApp:
        origins = self.state.settings.cors_origins
        contexts = iter_route_contexts(self.routes)
        observe = partial(
            Observed,
            metrics=self.state.parts.metrics,
            templates={
                each.endpoint: each.path for each in contexts if each.endpoint and each.path
            },
        )
        stack = super().build_middleware_stack()
        return middleware.surround(stack, cors_origins=origins, observe=observe)

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = api.describe(self)
        return self.openapi_schema


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    # As many threads as connections: a request waits in the event loop, not in a thread.
    anyio.to_thread.current_default_thread_limiter().total_tokens = POOL_SIZE
    background = app.state.background

    def ring(queues: Collection[str]) -> None:
        if not queues or FEED in queues:
            app.state.viewers.wake()

    engine = app.state.database.write_engine
    unlisten = bell_of(engine).listen(ring)
    try:
        async with hearing(engine), background(app.state.parts) if background else nullcontext():
            yield
    finally:
        unlisten()
        app.state.database.dispose()


def _allowed_methods(app: FastAPI) -> Callable[[str], str]:
    """The Allow header of a path: FastAPI's own names the methods of one route only (measured)."""

    def allowed(path: str) -> str:
        methods = {"OPTIONS"}
        for context in iter_route_contexts(app.routes):
            if context.path and compile_path(context.path)[0].match(path):
                methods |= set(context.methods or ())
        if "GET" in methods:
            methods.add("HEAD")
        return ", ".join(sorted(methods))

    return allowed


def create_app(
    settings: Settings, *, database: Database | None = None, background: Background | None = None
) -> OpenQI:
    """The application. A test hands in its own database; nothing else differs.

    background: what runs in the server's loop as long as it serves, such as a worker.
    """
    parts = make_parts(settings, database=database)
    app = OpenQI(
        title=settings.organisation_name,
        version=__version__,
        openapi_url=None,  # kit.docs serves it, with an ETag
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        redirect_slashes=False,
        max_body_size=settings.max_body_bytes,
        generate_unique_id_function=lambda route: route.name,
        telemetry=tracing(is_on=settings.traces),
    )
    app.state.settings = settings
    app.state.parts = parts
    app.state.background = background
    app.state.database = parts.database
    app.state.passwords = Passwords(memory_kib=settings.password_memory_kib)
    app.state.tokens = AccessTokens(
        private_key=parts.signing_key,
        issuer=settings.public_url,
        lifetime=timedelta(minutes=settings.access_token_minutes),
    )
    # Cursors are signed by a key of their own that all replicas share, without a further setting.
    app.state.cursor_secret = hashlib.sha256(b"cursor" + parts.signing_key.encode()).digest()
    app.state.viewers = Viewers(
        lambda: app.state.database,
        Limits(viewers=settings.stream_viewers, per_user=settings.stream_viewers_per_user),
    )
    parts.metrics.viewers.set_function(lambda: app.state.viewers.count)
    app.state.inbound_limiter = Limiter("messages", quota=settings.integration_messages_a_minute)
    app.state.allowed_methods = _allowed_methods(app)
    app.state.oldest_due = jobs.oldest_due
    # A test puts its own database in the place of the one of now.
    app.state.database_gauges = add_database_gauges(parts.metrics, lambda: app.state.database)
    problems.install(app)
    idempotency.install(app)
    api.include_routers(app)
    return app
