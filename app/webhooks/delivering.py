"""Sends what is due: signs the stored payload, calls the receiver, hands back what came of it."""

import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from sqlmodel import Session

from app.jobs.handlers import Death, Done, Effect, Outcome, Outgoing, Retry, Work
from app.kit.clock import unix_ms, utc_now
from app.kit.metrics import Metrics
from app.kit.outbound import Answer, Outbound
from app.kit.sealing import Sealer, Unsealable
from app.kit.signing import sign
from app.webhooks.keeping import Tried, cancel, give_up, hold_paused, keep_calls
from app.webhooks.lanes import DELIVER
from app.webhooks.models import DeliveryState, sealed_for
from app.webhooks.parcels import Dropped, Found, Parcel, Waiting, behind_probe, load_parcels
from app.webhooks.verdicts import Call, Verdict, judge

SECONDS = 15.0  # in all, however slowly the receiver answers
log = structlog.get_logger()


def deliverer(
    *,
    outbound: Outbound,
    sealer: Sealer,
    waits: Sequence[float],
    clock: Callable[[], datetime] = utc_now,
    chance: Callable[[], float] = random.random,
    seconds: float = SECONDS,
    metrics: Metrics | None = None,
) -> Outgoing:
    """The handler of `webhook.deliver`. waits: seconds between the attempts of a delivery."""
    desk = _Desk(outbound, sealer, tuple(waits), clock, chance, seconds, metrics or Metrics())
    return Outgoing(DELIVER, desk.load, desk.run, desk.mourn)


@dataclass(slots=True)
class _Desk:
    outbound: Outbound
    sealer: Sealer
    waits: tuple[float, ...]
    clock: Callable[[], datetime]
    chance: Callable[[], float]
    seconds: float
    metrics: Metrics
    probing: set[uuid.UUID] = field(default_factory=set)  # endpoints, in this process

    def load(self, session: Session, works: Sequence[Work]) -> Mapping[int, Found]:
        return load_parcels(session, works, now=self.clock())

    def mourn(self, session: Session, deaths: Sequence[Death]) -> None:
        give_up(session, deaths, now=self.clock())

    async def run(self, work: Work, found: Found | None) -> Outcome:
        match found:
            case Parcel(is_probe=True):
                return await self._probe(found)
            case Parcel():
                return await self._deliver(found)
            case Waiting():
                return _put_off(found)
            case Dropped():
                return Done(Effect(cancel, (found, self.clock())))
            case _:
                return Done()  # it has ended meanwhile

    async def _probe(self, parcel: Parcel) -> Outcome:
        if parcel.endpoint_id in self.probing:
            return _put_off(behind_probe(parcel.endpoint_id, self.clock()))
        self.probing.add(parcel.endpoint_id)
        try:
            return await self._deliver(parcel)
        finally:
            self.probing.discard(parcel.endpoint_id)

    async def _deliver(self, parcel: Parcel) -> Outcome:
        started = self.clock()
        answer = await self._call(parcel, started)
        ended = self.clock()
        self._count(parcel, answer, started)
        verdict = judge(
            answer, number=parcel.number, waits=self.waits, now=ended, chance=self.chance
        )
        _tell(parcel, answer, verdict)
        tried = Tried(
            parcel.delivery_id,
            parcel.endpoint_id,
            parcel.number,
            answer,
            Call(started, ended, verdict),
        )
        effect = Effect(keep_calls, tried)
        if verdict.next_at is None:
            return Done(effect)
        # A claim is not used up: attempts are counted in the delivery.
        error = verdict.error or ""
        return Retry(error, at=unix_ms(verdict.next_at), effect=effect, counts=False)

    def _count(self, parcel: Parcel, answer: Answer, started: datetime) -> None:
        self.metrics.attempts(f"{answer.status // 100}xx" if answer.status else "error")
        if parcel.number == 1 and parcel.replay == 0:
            lag = (started - parcel.happened_at).total_seconds()
            self.metrics.commit_to_first_attempt(max(0.0, lag))

    async def _call(self, parcel: Parcel, now: datetime) -> Answer:
        bound_to = sealed_for(parcel.endpoint_id)
        try:
            secrets = [self.sealer.open(sealed, bound_to=bound_to) for sealed in parcel.secrets]
        except Unsealable:
            return Answer(0, detail="The stored secret cannot be read; rotate it.")
        signature = sign(
            secrets,
            message_id=parcel.message_id,
            timestamp=int(now.timestamp()),
            body=parcel.body,
        )
        headers = {"content-type": "application/json", **signature}
        return await self.outbound.send(
            "POST", parcel.url, headers=headers, body=parcel.body, seconds=self.seconds
        )


def _tell(parcel: Parcel, answer: Answer, verdict: Verdict) -> None:
    """One line an attempt. Addresses hold keys, and answers whatever their receivers like."""
    tell = log.info if verdict.state is DeliveryState.SUCCEEDED else log.warning
    tell(
        "webhook_attempt",
        event_id=str(parcel.event_id),
        endpoint_id=str(parcel.endpoint_id),
        delivery_id=str(parcel.delivery_id),
        n=parcel.number,
        status=answer.status,
        failure=answer.failure,
        ms=answer.milliseconds,
        outcome="retry" if verdict.next_at else verdict.state.value,
    )


def _put_off(waiting: Waiting) -> Retry:
    effect = Effect(hold_paused, waiting) if waiting.is_paused else None
    return Retry(waiting.reason, at=unix_ms(waiting.until), effect=effect, counts=False)
