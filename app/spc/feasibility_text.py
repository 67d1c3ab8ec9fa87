"""The judgement of a plan in plain sentences, for people who are no statisticians."""

from collections.abc import Iterator

from app.spc.calendar import count_months, day_after
from app.spc.charts import CHARTS
from app.spc.feasibility import Feasibility, Option
from app.spc.lookup import FAMILIES, false_signal_rate
from app.spc.quality import FIRM_FROM, LARGE_COUNT, TRIAL_BELOW
from app.spc.simulated_rates import AFTER, BEFORE

_NUMBERS = (
    *("no", "one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve"),
)
_NAMES = {"per_case": "case by case", "daily": "daily"}
# Of stable processes: from here on a signal proves little; from there on, nothing.
_OFTEN, _MOSTLY = 0.3, 0.6


def explain(found: Feasibility, *, unit: str | None = None) -> list[str]:
    """The advice, the most important first."""
    return [_headline(found), *_of_limits(found), *_of_odds(found, unit), *_of_assumptions(found)]


def _name(option: Option) -> str:
    return _NAMES.get(option.frequency, option.frequency)


def _headline(found: Feasibility) -> str:
    chosen = found.chosen
    gives = (
        f"{_name(chosen).capitalize()} collection gives {_points(chosen.points)} in "
        f"{_duration(found)}, of which {chosen.points_before} before the first change"
    )
    if found.recommended == chosen.frequency:
        return f"{gives}: that is enough."
    better = next((o for o in found.alternatives if o.frequency == found.recommended), None)
    if better is None:
        return (
            f"{gives}; no frequency gives {TRIAL_BELOW} points both before it and after it: start "
            "earlier, end later, or move the first change."
        )
    return (
        f"{gives}; {_name(better)} gives {better.points}, of which {better.points_before}: "
        f"go {_name(better)}."
    )


def _points(number: int) -> str:
    return f"{number} point" if number == 1 else f"{number} points"


def _duration(found: Feasibility) -> str:
    start, stop = found.plan.starts_on, day_after(found.plan.ends_on)
    months, days = count_months(start, stop), stop.toordinal() - start.toordinal()
    if start.day == stop.day and 0 < months < len(_NUMBERS):
        return f"{_NUMBERS[months]} month{'s' if months > 1 else ''}"
    return f"{days // 7} weeks" if days >= 14 else f"{days} day{'s' if days != 1 else ''}"


def _of_limits(found: Feasibility) -> Iterator[str]:
    before = found.chosen.points_before
    if CHARTS[found.chart].has_limits and before < TRIAL_BELOW:
        yield (
            f"Limits from {_points(before)} are trial limits: {TRIAL_BELOW} points before the "
            f"first change make them provisional, {FIRM_FROM} firm."
            if before > 1
            else f"There are no limits from {_points(before)} before the first change: collect "
            f"{TRIAL_BELOW} first."
        )
    if found.chosen.is_small and CHARTS[found.chart].counts:
        yield (
            f"A point would count about {found.chosen.events_per_point:.1f} events, fewer than the "
            f"{LARGE_COUNT} that limits from counts take: use longer periods or a run chart, and "
            "for rare events record the time or the number of cases between them."
        )


def _of_odds(found: Feasibility, unit: str | None) -> Iterator[str]:
    chosen = found.chosen
    if found.chart not in FAMILIES:
        yield (
            f"How often a stable process signals was not simulated for {found.chart} charts; judge "
            "their signals with care while points are few."
        )
        return
    if chosen.is_small and CHARTS[found.chart].counts:
        return
    rate = chosen.false_signal_rate
    if rate is None:
        yield (
            f"With {_points(chosen.points_before)} before and {chosen.points_after} after the "
            f"first change nothing is tabulated of false signals; {BEFORE[0]} to {BEFORE[-1]} "
            f"before and at most {AFTER[-1]} after are."
        )
        return
    yield (
        f"Of 100 stable processes, about {100 * rate:.0f} raise at least one signal in so many "
        f"points under {found.rule_set}{_calmer(found, rate)}."
    )
    yield _power(chosen, unit)
    if chosen.frequency == "daily":
        yield (
            "Days of the week differ, and neighbouring days are often alike; both make false "
            "signals, so look at weekly points too."
        )


def _calmer(found: Feasibility, rate: float) -> str:
    """Another rule set, where the chosen one cries wolf."""
    if rate < _OFTEN:
        return ""
    chosen = found.chosen
    other = false_signal_rate(found.chart, "anhoej", chosen.points_before, chosen.points_after)
    if other is None or other > 0.75 * rate:
        return ": wait for further points before believing one"
    return f", {100 * other:.0f} under anhoej: wait for further points before believing one"


def _power(chosen: Option, unit: str | None) -> str:
    shift = chosen.minimum_detectable_shift
    if shift is None and (chosen.false_signal_rate or 0) > _MOSTLY:
        return (
            "So many stable processes signal that a signal tells of no shift, however large: use "
            "fewer points at once, or fewer rules."
        )
    if shift is None:
        return (
            f"{_points(chosen.points_after).capitalize()} after the change show no shift up to 3 "
            "sigma reliably (in 80 of 100 cases)."
        )
    size = f"{shift:.1f} sigma"
    if chosen.shift_in_unit is not None:
        size += f", here {chosen.shift_in_unit:.3g}{_unit(unit)},"
    return f"A lasting shift of {size} would be signalled in 80 of 100 cases; smaller ones less."


def _unit(unit: str | None) -> str:
    if unit == "%":
        return " percentage points"
    return f" {unit}" if unit else ""


def _of_assumptions(found: Feasibility) -> Iterator[str]:
    if found.plan.first_change_on is None:
        yield (
            f"No first change is planned yet; it is taken to start on "
            f"{found.first_change_on.isoformat()}, a third of the way."
        )
