"""ETags and the conditions that clients build from them (RFC 9110 sections 8.8 and 13)."""

import hashlib
import re
from dataclasses import dataclass

from app.kit.errors import PreconditionFailed, PreconditionRequired

_TAG = re.compile(r'(?:W/)?"([^"]*)"')


def etag(version: int | str) -> str:
    """The entity tag of a revision."""
    return f'"{version}"'


def etag_of(version: str, body: bytes) -> str:
    """The entity tag of an answer: the revision, for If-Match, and a digest of what it prints."""
    return f'"{version}-{hashlib.sha256(body).hexdigest()[:12]}"'


def revisions(header: str) -> frozenset[str]:
    """The revisions of an If-Match header, with or without the digest of an answer."""
    return frozenset(tag.partition("-")[0] for tag in parse_tags(header))


def parse_tags(header: str) -> frozenset[str]:
    """The tags of a header, read leniently: proxies that compress weaken or extend a tag."""
    tags = (tag.removesuffix("-gzip").removesuffix(";gzip") for tag in _TAG.findall(header))
    return frozenset(tags)


def matches(header: str | None, tag: str) -> bool:
    """Whether an If-None-Match header covers the entity tag."""
    if header is None:
        return False
    return header.strip() == "*" or tag.strip('"') in parse_tags(header)


@dataclass(frozen=True, slots=True)
class Precondition:
    """What the caller demands of the present revision before a write."""

    if_match: str | None = None
    if_none_match: str | None = None

    def check(self, revision: int | str | None, *, required: bool = True) -> None:
        """Refuse (412) a write against another revision; None means that there is no row yet.

        Raises `PreconditionRequired` (428) where `required` and nothing was demanded.
        """
        if revision is None:
            if self.if_match is not None:
                raise PreconditionFailed("There is nothing yet that If-Match could match.")
            return
        current = etag(revision)
        if self.if_none_match is not None and self.if_none_match.strip() == "*":
            raise PreconditionFailed("It exists already.", headers={"ETag": current})
        if self.if_match is None:
            if required:
                raise PreconditionRequired(headers={"ETag": current})
            return
        if self.if_match.strip() != "*" and str(revision) not in revisions(self.if_match):
            raise PreconditionFailed(headers={"ETag": current})
