"""How a route answers with one resource: ETag and Location headers from the resource itself."""

import uuid
from typing import Protocol, TypeVar

from fastapi import Response

from app.kit.preconditions import etag

API_PREFIX = "/api/v1"


class Versioned(Protocol):
    """A resource with an identifier and a revision."""

    id: uuid.UUID
    revision: int


V = TypeVar("V", bound=Versioned)


def tagged(response: Response, resource: V) -> V:
    """The resource, with its revision as ETag."""
    response.headers["ETag"] = etag(resource.revision)
    return resource


def created(response: Response, resource: V, path: str) -> V:
    """The new resource, with its address and ETag; `path` such as `projects`."""
    response.headers["Location"] = f"{API_PREFIX}/{path}/{resource.id}"
    return tagged(response, resource)
