"""The one place where public identifiers are made (UUIDv7, RFC 9562)."""

import uuid

from uuid_utils.compat import uuid7


def new_id() -> uuid.UUID:
    """A UUIDv7: time-ordered, so a natural keyset that keeps indices local; never a secret."""
    return uuid7()
