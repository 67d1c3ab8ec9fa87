"""A platform that is connected to the programme of the small world, by its facilitator."""

from collections.abc import Callable

import pytest

from tests.calling import Caller
from tests.integrations.sending import Platform, connect
from tests.world import World


@pytest.fixture
def facilitator(call: Callable[..., Caller], world: World) -> Caller:
    return call(world.facilitator)


@pytest.fixture
def platform(call: Callable[..., Caller], facilitator: Caller, world: World) -> Platform:
    return connect(facilitator, call(None), world.programme.id)
