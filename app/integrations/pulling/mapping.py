"""Which of our rows stands for which of theirs, by external references of the connection."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session, col, select

from app.access.actor import Actor
from app.events.catalogue import Resource
from app.integrations.models import Integration
from app.kit.ids import new_id
from app.references.models import ExternalReference

_AT_ONCE = 500  # databases limit the parameters of a statement


class Known:
    """Their identifiers beside ours; a new one gets an identifier and a reference here."""

    def __init__(
        self, session: Session, integration: Integration, *, actor: Actor, now: datetime
    ) -> None:
        self._session, self._integration = session, integration
        self._actor, self._now = actor, now
        self.new: set[uuid.UUID] = set()  # of ours

    def ids_of(self, noun: Resource, theirs: Iterable[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
        """Ours by theirs."""
        wanted = list(theirs)
        ids = self._stored(noun, wanted)
        new = {identifier: new_id() for identifier in wanted if identifier not in ids}
        self._session.add_all(
            ExternalReference(
                programme_id=self._integration.programme_id,
                resource_type=noun.value,
                resource_id=ours,
                system=self._integration.system,
                external_id=str(identifier),
                created_at=self._now,
                created_by=self._actor.user_id,
            )
            for identifier, ours in new.items()
        )
        self._session.flush()
        self.new |= set(new.values())
        return ids | new

    def _stored(self, noun: Resource, theirs: list[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
        found: dict[uuid.UUID, uuid.UUID] = {}
        for start in range(0, len(theirs), _AT_ONCE):
            texts = [str(identifier) for identifier in theirs[start : start + _AT_ONCE]]
            statement = select(ExternalReference).where(
                ExternalReference.programme_id == self._integration.programme_id,
                ExternalReference.system == self._integration.system,
                ExternalReference.resource_type == noun.value,
                col(ExternalReference.external_id).in_(texts),
            )
            for row in self._session.exec(statement):
                found[uuid.UUID(row.external_id)] = row.resource_id
        return found
