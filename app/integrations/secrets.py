"""What a connection keeps sealed: the keys that messages are signed with, the token for its API."""

import uuid
from datetime import datetime

from app.integrations.models import Integration
from app.kit.sealing import Sealer


def _bound(integration_id: uuid.UUID, what: str) -> str:
    return f"integration:{integration_id}:{what}"


def seal_secret(sealer: Sealer, integration_id: uuid.UUID, secret: str) -> str:
    """A signing secret as it is stored."""
    return sealer.seal(secret, bound_to=_bound(integration_id, "secret"))


def seal_token(sealer: Sealer, integration_id: uuid.UUID, token: str) -> str:
    """A token of the other platform as it is stored."""
    return sealer.seal(token, bound_to=_bound(integration_id, "token"))


def secrets_of(row: Integration, sealer: Sealer, *, now: datetime) -> list[str]:
    """The secrets that sign its messages at present: while they rotate, two."""
    bound_to = _bound(row.id, "secret")
    secrets = [sealer.open(row.secret, bound_to=bound_to)]
    if row.old_secret is not None and row.old_secret_until and now < row.old_secret_until:
        secrets.append(sealer.open(row.old_secret, bound_to=bound_to))
    return secrets


def open_token(sealer: Sealer, integration_id: uuid.UUID, sealed: str) -> str:
    """The token for the other platform's API. Raises `Unsealable`."""
    return sealer.open(sealed, bound_to=_bound(integration_id, "token"))
