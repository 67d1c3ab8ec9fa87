"""How much a worker does at once, and how it keeps time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


class Slots(NamedTuple):
    """How many jobs of a queue a process runs at once, and how many batches."""

    jobs: int
    batches: int | None = None


SLOTS: Mapping[str, Slots] = {
    "event": Slots(100, batches=1),  # numbered under a lock: a second batch would only wait
    "webhook": Slots(50),
    "mail": Slots(4),
    "series": Slots(2),
    "heavy": Slots(1),
    "pull": Slots(2),
    "cron": Slots(2),
}


MUCH = 16  # jobs at once, from which on work is gathered


@dataclass(frozen=True, slots=True)
class Pace:
    """How a worker keeps time, in seconds."""

    poll: float = 1.0  # wake-ups are hints: this is the guarantee
    patience: float = 20.0  # how long a stop waits for what runs
    back_off: float = 0.5  # after a fault of the database
    tick: float = 15.0  # a schedule that is changed elsewhere is seen after so long
    gather: float = 0.01  # while much runs, so long until the next transaction takes its share
