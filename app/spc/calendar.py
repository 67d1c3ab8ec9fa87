"""Whole periods between two days, by calendar: collection starts on any day."""

from datetime import date

DAYS = {
    "daily": 1.0,
    "weekly": 7.0,
    "fortnightly": 14.0,
    "monthly": 365.25 / 12,
    "quarterly": 365.25 / 4,
}
_MONTHS = {"monthly": 1, "quarterly": 3}


def day_after(day: date) -> date:
    """The next day; the last day of all is its own."""
    return day if day == date.max else date.fromordinal(day.toordinal() + 1)


def count_months(start: date, stop: date) -> int:
    """Whole months from a day up to another, which is not part of them."""
    months = (stop.year - start.year) * 12 + stop.month - start.month
    return months - (stop.day < start.day)


def count_periods(
    start: date, stop: date, frequency: str, cases_per_week: float | None = None
) -> int:
    """How many periods end before `stop`; of `per_case`, how many cases come until then."""
    days = stop.toordinal() - start.toordinal()
    if frequency == "per_case":
        return int((cases_per_week or 0) * days / 7)
    if frequency in _MONTHS:
        return max(0, count_months(start, stop)) // _MONTHS[frequency]
    return int(days // DAYS[frequency])
