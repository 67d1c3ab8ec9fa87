"""Types of events as a caller states them: one type, or all of a noun as `measure.*`."""

from collections.abc import Iterable

from pydantic_core import PydanticCustomError

from app.access.permissions import READ_BY_NOUN
from app.events.catalogue import EVENT_TYPES

# What stays in the house is no type to ask for: a subscriber would wait for it in vain.
TOLD = frozenset(name for name in EVENT_TYPES if name.split(".")[0] in set(READ_BY_NOUN))


def types_of(pattern: str) -> frozenset[str]:
    """The types that a pattern stands for; none where it stands for nothing."""
    noun, _, verb = pattern.partition(".")
    if verb != "*":
        return TOLD & {pattern}
    return frozenset(name for name in TOLD if name.startswith(f"{noun}."))


def known(pattern: str) -> str:
    """Refuse a pattern that stands for nothing: a typo must not mean silence."""
    if not types_of(pattern):
        raise PydanticCustomError("unknown_event_type", "There are no such events to hear of.")
    return pattern


def expanded(patterns: Iterable[str]) -> frozenset[str]:
    """Every type that one of the patterns stands for."""
    return frozenset[str]().union(*(types_of(pattern) for pattern in patterns))
