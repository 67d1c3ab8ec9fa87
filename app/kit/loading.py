"""Loading the software: it makes no garbage, and looking for some takes a fifth of the time."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """The collector rests meanwhile."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
