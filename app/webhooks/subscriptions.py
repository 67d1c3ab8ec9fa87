"""What a subscriber can ask for: types of events, wildcards, and what each stands for."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from functools import cache

from app.access.actor import Actor, Place
from app.access.permissions import READ_BY_NOUN, Permission
from app.events.catalogue import EVENT_TYPES, Resource, Verb, event_type

ALL = "*"
# A test message goes to the one endpoint that asked for it; nobody subscribes to it.
PING = event_type(Resource.WEBHOOK_ENDPOINT, Verb.PINGED)


def _noun(pattern: str) -> str:
    return pattern.partition(".")[0]


# What leaves the house: the feed tells of all of it.
TOLD = frozenset(name for name in EVENT_TYPES if Resource(_noun(name)) in READ_BY_NOUN)
TYPES = TOLD - {PING}
PATTERNS = TYPES | {f"{_noun(name)}.*" for name in TYPES} | {ALL}


def permission_of(pattern: str) -> Permission:
    """What whoever hears of it must be allowed to read. `*` alone has none of its own."""
    return READ_BY_NOUN[Resource(_noun(pattern))]


def near_misses(text: str) -> list[str]:
    """The patterns that somebody who wrote this may have meant, the closest first."""
    return get_close_matches(text, sorted(PATTERNS), n=3)


@cache
def _meant_by(pattern: str, among: frozenset[str]) -> frozenset[str]:
    if pattern == ALL:
        return among
    if pattern.endswith(".*"):
        return frozenset(name for name in among if name.startswith(pattern[:-1]))
    return among & {pattern}


def types_of(patterns: Sequence[str], *, among: frozenset[str] = TYPES) -> frozenset[str]:
    """The types that the patterns stand for; without patterns, all."""
    return frozenset().union(*(_meant_by(pattern, among) for pattern in patterns or (ALL,)))


def audible(patterns: Sequence[str], *, owner: Actor, place: Place) -> frozenset[str]:
    """Of the types, those whose subjects the owner may read in the whole programme."""
    nouns = {_noun(name): name for name in types_of(patterns)}
    heard = {
        noun for noun, name in nouns.items() if owner.can(permission_of(name), place)
    }  # once a noun, not once a type
    return frozenset(name for name in types_of(patterns) if _noun(name) in heard)


def inaudible(
    patterns: Sequence[str], *, owner: Actor, place: Place
) -> Iterator[tuple[int, Permission]]:
    """Where among the patterns one stands whose subject the owner may not read, and the need."""
    for index, pattern in enumerate(patterns):
        if pattern != ALL and not owner.can(permission_of(pattern), place):
            yield index, permission_of(pattern)
