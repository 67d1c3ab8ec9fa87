"""How often somebody may do something: a sliding window, exact, in the memory of one process.

That is fair among callers that are known; guesses at passwords are counted in the database instead.
"""

import math
import time
from collections import deque
from collections.abc import Callable, Hashable
from threading import Lock

from app.kit.errors import TooManyRequests


class QuotaExceeded(TooManyRequests):
    """429: more than the quota of a minute. Nothing was done; the same request is right later."""

    code = "quota_exceeded"
    title = "Too many requests; wait as long as Retry-After says."
    type = "https://iana.org/assignments/http-problem-types#quota-exceeded"


class Limiter:
    """At most `quota` in any `window` of seconds, for each key by itself.

    name: that of the policy, as callers see it. Keys must be of a bounded number: each that was
    ever used keeps its place.
    """

    def __init__(
        self,
        name: str,
        *,
        quota: int,
        window: int = 60,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name, self.quota, self.window = name, quota, window
        self._clock = clock
        self._taken: dict[Hashable, deque[float]] = {}
        self._lock = Lock()  # requests are served in threads

    def take(self, key: Hashable) -> dict[str, str]:
        """Count one, and say in headers what is left. Raises `QuotaExceeded`, and counts nothing.

        Their `t` is when the oldest that counts will count no more.
        """
        now = self._clock()
        with self._lock:
            taken = self._taken.setdefault(key, deque())
            while taken and taken[0] <= now - self.window:
                taken.popleft()
            is_free = len(taken) < self.quota
            if is_free:
                taken.append(now)
            left, oldest = self.quota - len(taken), taken[0]
        wait = math.ceil(oldest + self.window - now)
        headers = {
            "RateLimit-Policy": f'"{self.name}";q={self.quota};w={self.window}',
            "RateLimit": f'"{self.name}";r={left};t={wait}',
        }
        if not is_free:
            raise QuotaExceeded(
                f"At most {self.quota} in {self.window} seconds.",
                extra={"violated-policies": [self.name]},
                headers=headers | {"Retry-After": str(wait)},
            )
        return headers
