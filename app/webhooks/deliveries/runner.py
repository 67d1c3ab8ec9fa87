"""Runs a replay: a chunk of new deliveries a transaction, until the span is through."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from app.kit.db import Database
from app.kit.errors import NotFound
from app.operations.holding import PermissionEnded
from app.operations.models import Operation
from app.operations.steps import Chunk, LastStep, Step, Turn
from app.webhooks.actions import get_sending
from app.webhooks.deliveries.replays import count_replays, replay_deliveries
from app.webhooks.deliveries.schemas import ReplayParams, WebhookReplayRead
from app.webhooks.models import WebhookEndpoint


def run_replay(_database: Database, operation: Operation) -> Iterator[Chunk]:
    """The chunks of a replay, from its checkpoint on: how many were made, and the last event."""
    replay = _Replay(ReplayParams.model_validate(operation.params), operation.done)
    if operation.checkpoint:
        replay.go_on_from(operation.checkpoint["after"])
    else:
        yield replay.count
    while not replay.is_complete:
        yield replay.send_some
    yield replay.conclude


@dataclass(slots=True)
class _Replay:
    params: ReplayParams
    made: int
    after: uuid.UUID | None = None
    is_complete: bool = False

    def go_on_from(self, after: str | None) -> None:
        """After an event, or at the end."""
        self.after, self.is_complete = uuid.UUID(after) if after else None, after is None

    def count(self, turn: Turn) -> Step:
        """How many there will be, for whoever watches."""
        endpoint, span = self._endpoint(turn), self.params.span
        return Step(total=count_replays(turn.session, endpoint=endpoint, span=span, now=turn.now))

    def send_some(self, turn: Turn) -> Step:
        """The next deliveries, and where to go on."""
        chunk = replay_deliveries(
            turn.session,
            endpoint=self._endpoint(turn),
            span=self.params.span,
            now=turn.now,
            after=self.after,
        )
        self.made += chunk.made
        after = chunk.after.hex if chunk.after else None
        self.go_on_from(after)
        return Step(done=self.made, checkpoint={"after": after})

    def conclude(self, turn: Turn) -> LastStep:
        """The end; what became of each stands in the list of deliveries."""
        endpoint = self._endpoint(turn)
        return LastStep(
            done=self.made,
            total=self.made,
            result=WebhookReplayRead(deliveries=self.made).model_dump(),
            result_url=f"/api/v1/webhook-deliveries?endpoint_id={endpoint.id}",
        )

    def _endpoint(self, turn: Turn) -> WebhookEndpoint:
        endpoint_id = self.params.endpoint_id
        try:
            return get_sending(turn.session, actor=turn.actor, endpoint_id=endpoint_id)
        except NotFound as fault:  # nothing is ever deleted: it is out of sight
            raise PermissionEnded from fault
