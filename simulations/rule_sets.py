"""Simulates how often each rule set signals, with the SPC engine itself, and writes the tables.

Run `python -m simulations.rule_sets` from the root after a rule set is added or changed; it writes
`app/spc/simulated_rates.py` and `app/spc/simulated_shifts.py`, the same bytes every time.

Assumed: independent values of a normal distribution, one phase, lines from its first points only.
Three families of charts differ in what their limits are estimated from:
- median: run charts, which have no limits;
- ranges: sigma from moving ranges, screened, as individuals charts do;
- counts: sigma follows from the centre, as for counts so large that they are nearly normal.
The same numbers are drawn for every rule set, so that differences between sets are not chance.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.spc import MAX_POINTS, RULE_SETS, Series, Settings, Signal, chart

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SEED = 20261123
RUNS = 4_000  # a cell: a standard error of at most 0.8 points
BEFORE = (2, 3, 4, 6, 8, 12, 16, 24, 36, 52, 104)  # base points
AFTER = (0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 36, 52, 78, 104, 208)  # points after them
STEP, LARGEST = 0.25, 3.0  # of the shifts tried, in sigma
POWER, _IDLE = 0.8, 0.5
_LEVEL = 10_000.0  # mean of the simulated counts; their sigma is its root
FAMILIES = {"median": "run", "ranges": "i", "counts": "c"}
_FOLDER = Path(__file__).parent.parent / "app" / "spc"


class Setup(NamedTuple):
    """A rule set on a family of charts, with lines from so many base points."""

    rule_set: str
    family: str
    before: int

    @property
    def is_judged_whole(self) -> bool:
        """Whether limits of a rule depend on the length of the series, so each length is judged."""
        return any(rule.runs_limit for rule in RULE_SETS[self.rule_set].rules)


class Found(NamedTuple):
    """What was found in each series."""

    completed: Ints  # position of the first completed signal; a large number without one
    whole: npt.NDArray[np.bool_]  # whether there is a signal about the whole series

    def share(self, points: int) -> float:
        """The share of the series with a signal among so many points."""
        return float(np.mean((self.completed < points) | self.whole))


def draw_noise(before: int, *, runs: int = RUNS, seed: int = SEED) -> Floats:
    """The standard normal values of every rule set and family with so many base points."""
    rng = np.random.default_rng([seed, before])
    return rng.standard_normal((runs, before + AFTER[-1]))


def find(setup: Setup, values: Floats, *, upward_from: int | None = None) -> Found:
    """Judge series (one a row) as the phases of long ones.

    upward_from: count only signals of an upward change that are completed from this position on.
    """
    runs, points = values.shape
    completed = np.full(runs, np.iinfo(np.int64).max)
    whole = np.zeros(runs, dtype=np.bool_)
    together = MAX_POINTS // points
    for first in range(0, runs, together):
        batch = values[first : first + together]
        for signal in _signals(setup, batch):
            if signal.completed_at is None:
                whole[first + signal.phase] |= upward_from is None or _fits_a_shift(signal)
                continue
            position = signal.completed_at - signal.phase * points
            if upward_from is None or (signal.direction == "high" and position >= upward_from):
                row = first + signal.phase
                completed[row] = min(completed[row], position)
    return Found(completed, whole)


def _fits_a_shift(signal: Signal) -> bool:
    """A shift makes few crossings; many are the mark of something else."""
    return "few" in signal.rule


def _signals(setup: Setup, batch: Floats) -> Sequence[Signal]:
    runs, points = batch.shape
    values = batch.ravel()
    if setup.family == "counts":
        values = _LEVEL + np.sqrt(_LEVEL) * values
    settings = Settings(
        FAMILIES[setup.family],
        rule_set=setup.rule_set,
        phase_starts=range(points, runs * points, points),
        baseline_points=setup.before,
    )
    return chart(Series(_LABELS[: len(values)], values), settings).signals


_LABELS = [f"{row:05d}" for row in range(MAX_POINTS)]


def false_signal_rates(setup: Setup, noise: Floats) -> list[float]:
    """The share of stable series with any signal, one for each of AFTER."""
    lengths = [setup.before + after for after in AFTER]
    if setup.is_judged_whole:
        return [find(setup, noise[:, :length]).share(length) for length in lengths]
    found = find(setup, noise[:, : lengths[-1]])
    return [found.share(length) for length in lengths]


def power(setup: Setup, noise: Floats, afters: Sequence[int], shift: float) -> list[float]:
    """The share of series in which a shift after the base points is seen, by points after it."""
    if setup.is_judged_whole:
        return [_power(setup, noise, after, shift).share(setup.before + after) for after in afters]
    found = _power(setup, noise, max(afters), shift)
    return [found.share(setup.before + after) for after in afters]


def _power(setup: Setup, noise: Floats, after: int, shift: float) -> Found:
    values = noise[:, : setup.before + after].copy()
    values[:, setup.before :] += shift
    return find(setup, values, upward_from=setup.before)


def detectable_shifts(setup: Setup, noise: Floats) -> list[float | None]:
    """The smallest shift seen with a power of 80 %, in sigma, one for each of AFTER.

    None too where a stable process gives such signals in half of the series: they tell nothing.
    """
    found: dict[int, float] = {}
    earlier = _upper_shares(setup, noise, AFTER[1:], 0.0)
    untold = {after for after, share in earlier.items() if share > _IDLE}
    for step in range(1, round(LARGEST / STEP) + 1):
        # More points see smaller shifts: what is left is short, as the shifts grow large.
        open_ = [after for after in AFTER[1:] if after not in found and after not in untold]
        if not open_:
            break
        shares = _upper_shares(setup, noise, open_, step * STEP)
        for after, share in shares.items():
            if share >= POWER:
                low = earlier.get(after, 0.0)
                found[after] = STEP * (step - (share - POWER) / (share - low))
        earlier = shares
    return [found.get(after) for after in AFTER]


def _upper_shares(
    setup: Setup, noise: Floats, afters: Sequence[int], shift: float
) -> dict[int, float]:
    """The power for the longest series; for shorter ones too, as long as it is near enough."""
    if not setup.is_judged_whole:
        return dict(zip(afters, power(setup, noise, afters, shift), strict=True))
    shares: dict[int, float] = {}
    for after in reversed(afters):
        (shares[after],) = power(setup, noise, [after], shift)
        if shares[after] < POWER / 4:  # the shorter ones see less still
            break
    return shares


def _setups() -> Iterator[Setup]:
    for rule_set in RULE_SETS:
        for family in FAMILIES:
            for before in BEFORE:
                yield Setup(rule_set, family, before)


def _row(setup: Setup) -> tuple[str, str]:
    noise = draw_noise(setup.before)
    rates = [f"{1000 * rate:.0f}" for rate in false_signal_rates(setup, noise)]
    shifts = detectable_shifts(setup, noise)
    shown = ["-" if shift is None else f"{100 * shift:.0f}" for shift in shifts]
    head = f"{setup.rule_set} {setup.family} {setup.before}"
    return f"{head} : {' '.join(rates)}\n", f"{head} : {' '.join(shown)}\n"


def _write(name: str, says: str, unit: str, rows: Sequence[str]) -> None:
    versions = "".join(f'    "{key}": "{rules.version}",\n' for key, rules in RULE_SETS.items())
    text = (
        f'"""{says}\n\nWritten by `python -m simulations.rule_sets`, which states what is assumed; '
        f'not edited by hand.\n"""\n\n'
        f"RUNS = {RUNS}\nBEFORE = {BEFORE}\nAFTER = {AFTER}\n"
        f"VERSIONS = {{\n{versions}}}\n"
        f"# Rule set, family of charts, base points: {unit} by AFTER.\n"
        f'TABLE = """\\\n{"".join(rows)}"""\n'
    )
    (_FOLDER / f"{name}.py").write_text(text)


def main() -> None:
    """Simulate every cell on all processors and write both tables."""
    started = time.perf_counter()
    rates, shifts = [], []
    with ProcessPoolExecutor() as pool:
        setups = list(_setups())
        for setup, (rate, shift) in zip(setups, pool.map(_row, setups), strict=True):
            rates.append(rate)
            shifts.append(shift)
            sys.stderr.write(f"{time.perf_counter() - started:7.0f} s {setup}\n")
    _write(
        "simulated_rates",
        "How often a stable process raises at least one signal, simulated with the engine.",
        "per mille",
        rates,
    )
    _write(
        "simulated_shifts",
        "The smallest shift that is seen with 80 % power, simulated with the engine.",
        'sigma in hundredths ("-": none up to 3)',
        shifts,
    )


if __name__ == "__main__":
    main()
