"""The table of cases: what an answer means for its delivery, and for its endpoint."""

from datetime import UTC, datetime, timedelta

import pytest

from app.kit.outbound import Answer
from app.webhooks.models import DeliveryState
from app.webhooks.verdicts import (
    GONE_REASON,
    LASTING_REASON,
    Call,
    Health,
    Verdict,
    judge,
    reckon,
)

NOW = datetime(2018, 1, 8, 9, 30, tzinfo=UTC)
WAITS = (5.0, 300.0, 7_200.0)
P, S, F = DeliveryState.PENDING, DeliveryState.SUCCEEDED, DeliveryState.FAILED


def _judged(answer: Answer, number: int = 1, chance: float = 0.5) -> Verdict:
    return judge(answer, number=number, waits=WAITS, now=NOW, chance=lambda: chance)


def _wait(answer: Answer, number: int = 1, chance: float = 0.5) -> float:
    verdict = _judged(answer, number, chance)
    assert verdict.state is P
    assert verdict.next_at is not None
    return (verdict.next_at - NOW).total_seconds()


def _status(code: int, retry_after: str | None = None) -> Answer:
    return Answer(1, status=code, headers={"retry-after": retry_after} if retry_after else {})


@pytest.mark.parametrize(
    ("code", "state"),
    [(200, S), (204, S), (299, S), (300, P), (302, P), (400, P), (404, P), (410, F), (500, P)],
)
def test_two_hundreds_succeed_and_gone_ends_it(code: int, state: DeliveryState) -> None:
    verdict = _judged(_status(code))
    assert verdict.state is state
    assert verdict.is_gone is (code == 410)
    assert (verdict.error is None) is (state is S)


@pytest.mark.parametrize(
    ("number", "chance", "seconds"),
    [(1, 0.5, 5), (1, 0.0, 4), (1, 1.0, 6), (2, 0.5, 300), (2, 0.25, 270), (3, 1.0, 8_640)],
)
def test_the_waits_follow_the_schedule_with_a_fifth_of_jitter(
    number: int, chance: float, seconds: float
) -> None:
    assert _wait(_status(500), number, chance) == pytest.approx(seconds)


@pytest.mark.parametrize("failure", ["connection", "not_allowed", "protocol", "invalid_url"])
def test_what_gave_no_answer_follows_the_schedule_too(failure: str) -> None:
    assert _wait(Answer(1, failure=failure, detail="No.")) == 5  # type: ignore[arg-type]


@pytest.mark.parametrize("code", [429, 502, 503, 504])
def test_who_is_overloaded_gets_a_minute_at_least(code: int) -> None:
    assert _wait(_status(code), chance=0.0) == 60
    assert _wait(_status(code), number=2) == 300


def test_so_does_who_does_not_answer_in_time() -> None:
    assert _wait(Answer(15_000, failure="timeout", detail="Late.")) == 60


@pytest.mark.parametrize(
    ("asked", "number", "seconds"),
    [
        ("900", 1, 900),
        ("1", 1, 60),  # never sooner than the step
        ("999999", 1, 3_600),  # nor later than an hour, while the step is short
        ("999999", 3, 14_400),  # or than two steps
        ("9" * 400, 1, 3_600),
        ("Mon, 08 Jan 2018 09:50:00 GMT", 1, 1_200),
        ("Mon, 08 Jan 2018 09:50:00", 1, 1_200),
        ("Mon, 08 Jan 2018 09:00:00 GMT", 1, 60),  # past
        ("Mon, 08 Jan 2018 10:50:00 +0100", 1, 1_200),
        ("soon", 1, 60),
        ("-5", 1, 60),
        ("\u00b2", 1, 60),
    ],
)
def test_retry_after_is_heeded_within_bounds(asked: str, number: int, seconds: float) -> None:
    assert _wait(_status(503, asked), number) == seconds


def test_after_the_last_wait_it_has_failed() -> None:
    verdict = _judged(_status(500), number=4)
    assert (verdict.state, verdict.next_at) == (F, None)
    assert verdict.error == "The receiver answered 500."


def _call(state: DeliveryState, ended: float, started: float | None = None) -> Call:
    began = ended if started is None else started
    return Call(
        NOW + timedelta(seconds=began), NOW + timedelta(seconds=ended), Verdict(state, "No.")
    )


def test_a_success_forgives_everything() -> None:
    health = Health(7, NOW, 2, NOW + timedelta(seconds=1), None)
    found = reckon(health, [_call(S, 5)])
    assert found.health == Health(last_success_at=NOW + timedelta(seconds=5))
    assert (found.has_opened, found.is_first_exhausted, found.disable) == (False, False, None)


def test_five_failures_in_a_row_open_the_breaker() -> None:
    four = reckon(Health(), [_call(P, second) for second in range(4)])
    assert (four.health.failures, four.health.open_until, four.has_opened) == (4, None, False)
    assert four.health.failing_since == NOW
    five = reckon(four.health, [_call(P, 10)])
    assert five.has_opened
    assert five.health.open_until == NOW + timedelta(seconds=40)
    assert five.health.failing_since == NOW


def test_a_success_between_keeps_it_closed() -> None:
    calls = [_call(P, 0), _call(P, 1), _call(S, 2), _call(P, 3), _call(P, 4), _call(P, 5)]
    found = reckon(Health(), calls)
    assert (found.health.failures, found.health.open_until) == (3, None)
    assert found.health.failing_since == NOW + timedelta(seconds=3)


def test_each_failed_probe_doubles_the_rest_up_to_a_quarter_of_an_hour() -> None:
    health, now, rests = Health(4, NOW, 0, None, None), 0.0, []
    for _ in range(8):
        health = reckon(health, [_call(P, now)]).health
        assert health.open_until is not None
        rest = (health.open_until - NOW).total_seconds() - now
        rests.append(rest)
        now += rest + 1
    assert rests == [30, 60, 120, 240, 480, 900, 900, 900]


def test_calls_under_way_when_it_opened_say_nothing_new() -> None:
    health = Health(5, NOW, 0, NOW + timedelta(seconds=30), None)
    found = reckon(health, [_call(P, ended=10, started=-2)])
    assert found.health == health
    assert not found.has_opened


def test_the_first_message_given_up_is_a_warning_once() -> None:
    first = reckon(Health(1, NOW, 0, None, None), [_call(F, 1)])
    assert first.is_first_exhausted
    assert first.health.exhausted == 1
    assert not reckon(first.health, [_call(F, 2)]).is_first_exhausted


@pytest.mark.parametrize(
    ("exhausted", "days", "reason"),
    [(1, 5, LASTING_REASON), (1, 4.9, None), (0, 30, None), (3, 6, LASTING_REASON)],
)
def test_it_is_disabled_after_five_days_with_a_message_given_up(
    exhausted: int, days: float, reason: str | None
) -> None:
    health = Health(30, NOW, exhausted, None, None)
    assert reckon(health, [_call(P, days * 86_400)]).disable == reason


def test_gone_disables_at_once() -> None:
    call = Call(NOW, NOW, Verdict(F, "The receiver answered 410.", is_gone=True))
    assert reckon(Health(), [call]).disable == GONE_REASON


def test_after_it_was_enabled_again_the_five_days_count_anew() -> None:
    enabled = Health(0, NOW - timedelta(days=9), 0, None, None)
    found = reckon(enabled, [_call(F, 0)])
    assert found.health.failing_since == NOW
    assert found.disable is None
