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
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.spc import MAX_POINTS, RULE_SETS, Series, Settings, chart, judging
from app.spc.judging import Segment, judge

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
NEVER = 1_000_000  # later than any point

SEED = 20261123
RUNS = 4_000  # a rate: a standard error of at most 0.8 points
POWER_RUNS = 2_000  # a shift: less than 0.03 sigma, as power rises steeply
BEFORE = (2, 3, 4, 6, 8, 12, 16, 24, 36, 52, 104)  # base points
AFTER = (0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 36, 52, 78, 104)  # points after them
STEP, LARGEST = 0.5, 3.0  # of the shifts tried, in sigma
POWER, _IDLE = 0.8, 0.5
_MEMORY = 20  # points
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

    completed: Ints  # position of the first completed signal, or NEVER
    whole: npt.NDArray[np.bool_]  # whether there is a signal about the whole series

    def share(self, points: int) -> float:
        """The share of the series with a signal among so many points."""
        return float(np.mean((self.completed < points) | self.whole))


def draw_noise(before: int, runs: int = RUNS, *, seed: int = SEED) -> Floats:
    """The standard normal values of every rule set and family with so many base points."""
    rng = np.random.default_rng([seed, before])
    return rng.standard_normal((runs, before + AFTER[-1]))


class Sample(NamedTuple):
    """Noise as a family of charts shows it, with the lines of its first points; one series a row.

    lines: as judge() takes them, but one number a series.
    """

    setup: Setup
    noise: Floats
    lines: Floats


def prepare(setup: Setup, noise: Floats) -> Sample:
    """Let the engine draw the lines of each series from its base points."""
    base = _scaled(setup, noise[:, : setup.before])
    together = MAX_POINTS // setup.before
    parts = [_centres(setup, base[row : row + together]) for row in range(0, len(base), together)]
    centre, sigma = np.concatenate(parts, axis=1)
    lines = centre + np.outer((0, -3, 3, -2, 2, -1, 1), sigma)
    lines[0] = centre  # also where there is no sigma
    return Sample(setup, noise, lines)


def _scaled(setup: Setup, noise: Floats) -> Floats:
    return _LEVEL + np.sqrt(_LEVEL) * noise if setup.family == "counts" else noise


def _centres(setup: Setup, base: Floats) -> Floats:
    """Centre and sigma of series that are charted as the phases of one."""
    runs, points = base.shape
    settings = Settings(
        FAMILIES[setup.family],
        rule_set=setup.rule_set,
        phase_starts=range(points, runs * points, points),
    )
    drawn = chart(Series(_LABELS[: base.size], base.ravel()), settings)
    return np.array([drawn.centre[::points], (drawn.upper_limit - drawn.centre)[::points] / 3])


_LABELS = [f"{row:05d}" for row in range(MAX_POINTS)]


def find(sample: Sample, points: int, *, shift: float | None = None) -> Found:
    """Judge the first points of every series, each as a phase of its own.

    shift: move all points after the base points by so many sigma, and count only signals of an
    upward change that are completed after them. None counts every signal.
    """
    setup = sample.setup
    # No rule about neighbours looks further back than this.
    skipped = 0 if shift is None or setup.is_judged_whole else max(0, setup.before - _MEMORY)
    noise = sample.noise[:, skipped:points]
    if shift:
        noise = noise + shift * (np.arange(skipped, points) >= setup.before)
    values, points = _scaled(setup, noise).ravel(), points - skipped
    lines = np.repeat(sample.lines, points, axis=1)
    segments = [Segment(row * points, (row + 1) * points) for row in range(len(noise))]
    with np.errstate(invalid="ignore"):  # without limits, lines are undefined
        judged = judge(values, lines, None, segments, RULE_SETS[setup.rule_set])
    first = setup.before - skipped if shift is not None else 0
    pairs = [
        _earliest(each, segment.start, first, shift)
        for each, segment in zip(judged.found, segments, strict=True)
    ]
    completed, whole = zip(*pairs, strict=True)
    return Found(np.array(completed) + skipped, np.array(whole))


def _earliest(
    found: Sequence[judging.Found], start: int, first: int, shift: float | None
) -> tuple[int, bool]:
    """The position of the first signal from `first` on, and whether one is about the whole."""
    earliest, whole = NEVER, False
    for rule, _, (side, _, completed) in found:
        if completed is None:
            # A shift makes few crossings; many are the mark of something else.
            whole |= shift is None or "few" in rule.name
        elif first <= completed - start < earliest and (shift is None or side == "high"):
            earliest = completed - start
    return earliest, whole


def false_signal_rates(sample: Sample) -> list[float]:
    """The share of stable series with any signal, one for each of AFTER."""
    lengths = [sample.setup.before + after for after in AFTER]
    if sample.setup.is_judged_whole:
        return [find(sample, length).share(length) for length in lengths]
    found = find(sample, lengths[-1])
    return [found.share(length) for length in lengths]


def power(sample: Sample, afters: Sequence[int], shift: float) -> list[float]:
    """The share of series in which a shift after the base points is seen, by points after it."""
    lengths = [sample.setup.before + after for after in afters]
    if sample.setup.is_judged_whole:
        return [find(sample, length, shift=shift).share(length) for length in lengths]
    found = find(sample, max(lengths), shift=shift)
    return [found.share(length) for length in lengths]


def detectable_shifts(sample: Sample) -> list[float | None]:
    """The smallest shift seen with a power of 80 %, in sigma, one for each of AFTER.

    None too where a stable process gives such signals in half of the series: they tell nothing.
    """
    found: dict[int, float] = {}
    earlier = _upper_shares(sample, AFTER[1:], 0.0)
    untold = {after for after, share in earlier.items() if share > _IDLE}
    for step in range(1, round(LARGEST / STEP) + 1):
        # More points see smaller shifts: what is left is short, as the shifts grow large.
        open_ = [after for after in AFTER[1:] if after not in found and after not in untold]
        if not open_:
            break
        shares = _upper_shares(sample, open_, step * STEP)
        for after, share in shares.items():
            if share >= POWER:
                found[after] = STEP * (step - _past(earlier.get(after, 0.0), share))
        earlier = shares
    return [found.get(after) for after in AFTER]


def _past(low: float, high: float) -> float:
    """How far between two shares the wanted power lies, from the higher one back.

    Power grows with the shift nearly as a normal distribution function does.
    """
    least = 0.5 / POWER_RUNS
    below, wanted, above = (
        NormalDist().inv_cdf(min(max(share, least), 1 - least)) for share in (low, POWER, high)
    )
    return (above - wanted) / (above - below)


def _upper_shares(sample: Sample, afters: Sequence[int], shift: float) -> dict[int, float]:
    """The power for the longest series; for shorter ones too, as long as it is near enough."""
    if not sample.setup.is_judged_whole:
        return dict(zip(afters, power(sample, afters, shift), strict=True))
    shares: dict[int, float] = {}
    for after in reversed(afters):
        (shares[after],) = power(sample, [after], shift)
        if shares[after] < POWER / 4:  # the shorter ones see less still
            break
    return shares


def _setups() -> Iterator[Setup]:
    for rule_set in RULE_SETS:
        for family in FAMILIES:
            for before in BEFORE:
                yield Setup(rule_set, family, before)


def _row(setup: Setup) -> tuple[str, str]:
    sample = prepare(setup, draw_noise(setup.before))
    rates = [f"{1000 * rate:.0f}" for rate in false_signal_rates(sample)]
    fewer = Sample(setup, sample.noise[:POWER_RUNS], sample.lines[:, :POWER_RUNS])
    shifts = detectable_shifts(fewer)
    shown = ["-" if shift is None else f"{100 * shift:.0f}" for shift in shifts]
    head = f"{setup.rule_set} {setup.family} {setup.before}"
    return f"{head} : {' '.join(rates)}\n", f"{head} : {' '.join(shown)}\n"


def _write(name: str, says: str, unit: str, runs: int, rows: Sequence[str]) -> None:
    versions = "".join(f'    "{key}": "{rules.version}",\n' for key, rules in RULE_SETS.items())
    text = (
        f'"""{says}\n\nWritten by `python -m simulations.rule_sets`, which states what is assumed; '
        f'not edited by hand.\n"""\n\n'
        f"RUNS = {runs}\nBEFORE = {BEFORE}\nAFTER = {AFTER}\n"
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
        RUNS,
        rates,
    )
    _write(
        "simulated_shifts",
        "The smallest shift that is seen with 80 % power, simulated with the engine.",
        'sigma in hundredths ("-": none up to 3)',
        POWER_RUNS,
        shifts,
    )


if __name__ == "__main__":
    main()
