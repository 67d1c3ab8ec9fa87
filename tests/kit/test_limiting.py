"""A quota in a sliding window: exact, by key, and not spent by what is refused."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from app.kit.limiting import Limiter, QuotaExceeded


class Clock:
    """Goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def _refusal(limiter: Limiter, key: str = "a") -> QuotaExceeded:
    with pytest.raises(QuotaExceeded) as caught:
        limiter.take(key)
    return caught.value


def test_each_place_comes_free_a_window_after_it_was_taken() -> None:
    clock = Clock()
    limiter = Limiter("messages", quota=3, clock=clock)
    told = []
    for wait in (0, 10, 19.5):
        clock.now += wait
        told.append(limiter.take("a"))
    assert {each["RateLimit-Policy"] for each in told} == {'"messages";q=3;w=60'}
    assert [each["RateLimit"] for each in told] == [
        '"messages";r=2;t=60',
        '"messages";r=1;t=50',
        '"messages";r=0;t=31',
    ]
    for wait in (0, 30.25):
        clock.now += wait
        refused = _refusal(limiter)
    assert refused.headers == {
        "RateLimit-Policy": '"messages";q=3;w=60',
        "RateLimit": '"messages";r=0;t=1',
        "Retry-After": "1",
    }
    assert refused.extra == {"violated-policies": ["messages"]}
    clock.now += 0.25  # sixty seconds after the first
    assert limiter.take("a")["RateLimit"] == '"messages";r=0;t=10'
    _refusal(limiter)
    clock.now += 60
    assert limiter.take("a")["RateLimit"] == '"messages";r=2;t=60'


def test_each_key_has_its_own_quota() -> None:
    limiter = Limiter("messages", quota=1, clock=Clock())
    limiter.take("a")
    _refusal(limiter)
    assert limiter.take("b")["RateLimit"] == '"messages";r=0;t=60'


def test_threads_at_once_get_no_more_than_there_is() -> None:
    limiter = Limiter("messages", quota=500, clock=Clock())

    def take(_number: int) -> bool:
        try:
            limiter.take("a")
        except QuotaExceeded:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(take, range(2_000))) == 500
