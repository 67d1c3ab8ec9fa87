"""What the server holds as long as it serves is given back, however it ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import sqlalchemy as sa

from app.events.dispatching import FEED
from app.jobs.waking import bell_of
from app.main import Background, create_app
from app.parts import Parts
from app.settings import Settings


class _Broken(Exception):
    """What goes wrong beside the server."""


@asynccontextmanager
async def _fails_at_the_start(parts: Parts) -> AsyncIterator[None]:
    raise _Broken
    yield


@asynccontextmanager
async def _fails_at_the_end(parts: Parts) -> AsyncIterator[None]:
    yield
    raise _Broken


@pytest.mark.parametrize("background", [_fails_at_the_start, _fails_at_the_end])
def test_a_fault_leaves_no_listener(
    settings: Settings, background: Background, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(
        settings.model_copy(update={"database_url": "sqlite://"}), background=background
    )
    engine, woken = app.state.database.write_engine, list[str]()
    disposed: list[sa.Engine] = []
    monkeypatch.setattr(app.state.viewers, "wake", lambda: woken.append(FEED))
    sa.event.listen(engine, "engine_disposed", disposed.append)

    async def serve() -> None:
        async with app.router.lifespan_context(app):
            bell_of(engine).ring(engine, [FEED])

    with pytest.raises(_Broken):
        asyncio.run(serve())
    heard_before = len(woken)
    bell_of(engine).ring(engine, [FEED])
    assert len(woken) == heard_before == (background is _fails_at_the_end)
    assert disposed == [engine]
