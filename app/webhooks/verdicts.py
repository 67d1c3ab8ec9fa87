"""What comes of a call: when it is tried again, and how the endpoint fares. Pure: no clock, no I/O.

The schedule, the clamp of Retry-After and the circuit breaker are those of the design's table.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from app.kit.outbound import Answer
from app.webhooks.models import DeliveryState

JITTER = 0.2
BUSY_STATUSES = frozenset({429, 502, 503, 504})
BUSY_SECONDS = 60.0  # the least wait where the receiver is overloaded or away
PATIENCE_SECONDS = 3_600.0  # how long Retry-After may ask for, if the schedule is quicker
OPENS_AT = 5  # consecutive failures
OPEN_SECONDS, OPEN_SECONDS_AT_MOST = 30.0, 900.0
GIVEN_UP_AFTER = timedelta(days=5)
GONE = 410
GONE_REASON = "The receiver answered 410 Gone."
LASTING_REASON = "No delivery succeeded for 5 days."


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a delivery after an attempt; `next_at` where it is tried again."""

    state: DeliveryState
    error: str | None = None
    next_at: datetime | None = None
    is_gone: bool = False


def judge(
    answer: Answer,
    *,
    number: int,
    waits: Sequence[float],
    now: datetime,
    chance: Callable[[], float],
) -> Verdict:
    """The verdict on attempt `number` (from 1); `chance` draws from [0, 1) for the jitter."""
    if answer.status is not None and 200 <= answer.status < 300:
        return Verdict(DeliveryState.SUCCEEDED)
    error = _error_of(answer)
    if answer.status == GONE:
        return Verdict(DeliveryState.FAILED, error, is_gone=True)
    if number > len(waits):
        return Verdict(DeliveryState.FAILED, error)
    seconds = _wait(answer, waits[number - 1], now, chance())
    return Verdict(DeliveryState.PENDING, error, now + timedelta(seconds=seconds))


def _error_of(answer: Answer) -> str:
    if answer.status is None:
        return answer.detail or "The call failed."
    if 300 <= answer.status < 400:
        return f"The receiver answered {answer.status}; redirects are not followed."
    return f"The receiver answered {answer.status}."


def _wait(answer: Answer, step: float, now: datetime, chance: float) -> float:
    seconds = step * (1 - JITTER + 2 * JITTER * chance)
    if answer.status in BUSY_STATUSES or answer.failure == "timeout":
        seconds = max(seconds, BUSY_SECONDS)
    asked = _asked_wait(answer, now)
    if asked is None:
        return seconds
    return min(max(asked, seconds), max(2 * seconds, PATIENCE_SECONDS))


def _asked_wait(answer: Answer, now: datetime) -> float | None:
    """The seconds of Retry-After, which are seconds or a date; None where it says neither."""
    text = answer.headers.get("retry-after", "").strip()[:40]
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return (at - now).total_seconds()
    except (ValueError, OverflowError, TypeError):
        return None


@dataclass(frozen=True, slots=True)
class Health:
    """How an endpoint fares; the columns of the same names."""

    failures: int = 0
    failing_since: datetime | None = None
    exhausted: int = 0
    open_until: datetime | None = None
    last_success_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """What one attempt says of its endpoint."""

    started: datetime
    ended: datetime
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Prognosis:
    """The health after some calls, and what follows from it."""

    health: Health
    at: datetime  # the end of the last call
    has_opened: bool  # the breaker, anew
    is_first_exhausted: bool  # since the last success
    disable: str | None  # why


def reckon(health: Health, calls: Sequence[Call]) -> Prognosis:
    """How the endpoint fares after the calls, in the order in which they ended."""
    before, reason, warns = health, None, False
    in_order = sorted(calls, key=lambda each: each.ended)
    for call in in_order:
        was = health
        health = _after(was, call)
        warns = warns or (was.exhausted == 0 < health.exhausted)
        reason = reason or _reason_to_disable(health, call)
    has_opened = health.open_until is not None and health.open_until != before.open_until
    return Prognosis(health, in_order[-1].ended, has_opened, warns, reason)


def _after(health: Health, call: Call) -> Health:
    if call.verdict.state is DeliveryState.SUCCEEDED:
        return Health(last_success_at=call.ended)
    if call.verdict.state is DeliveryState.FAILED:
        health = replace(health, exhausted=health.exhausted + 1)
    if health.open_until is not None and call.started < health.open_until:
        return health  # under way when the breaker opened: it says nothing new
    failures = health.failures + 1
    return replace(
        health,
        failures=failures,
        failing_since=health.failing_since if failures > 1 else call.ended,
        open_until=_open_until(failures, call.ended),
    )


def _open_until(failures: int, now: datetime) -> datetime | None:
    if failures < OPENS_AT:
        return None
    doubled = OPEN_SECONDS * 2 ** min(failures - OPENS_AT, 10)
    return now + timedelta(seconds=min(doubled, OPEN_SECONDS_AT_MOST))


def _reason_to_disable(health: Health, call: Call) -> str | None:
    if call.verdict.is_gone:
        return GONE_REASON
    since = health.failing_since
    is_lasting = since is not None and call.ended - since >= GIVEN_UP_AFTER
    return LASTING_REASON if is_lasting and health.exhausted else None
