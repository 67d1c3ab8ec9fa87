"""chart(): a series and settings in, lines and signals out. draw() does so for many at once."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from app.spc.bases import Base
from app.spc.charts import CHARTS, D2, ChartType
from app.spc.cutting import Request, cut
from app.spc.display import display
from app.spc.fit import check_form, check_numbers, check_rules
from app.spc.judging import judge
from app.spc.phases import draw_lines, estimate, lay_out
from app.spc.quiet import quietly
from app.spc.results import Chart, Drawing
from app.spc.rule_sets import RULE_SETS, RuleSet
from app.spc.series import (
    Form,
    Observations,
    Series,
    check_sizes,
    form_of,
    observe_ratios,
    observe_values,
)
from app.spc.settings import Settings, chart_type, check_choices, rule_set
from app.spc.subgroups import observe_subgroups

_OBSERVE: Mapping[Form, Callable[[Sequence[Series]], Observations]] = {
    "values": observe_values,
    "ratios": observe_ratios,
    "subgroups": observe_subgroups,
}


class Choices(NamedTuple):
    """What series must share, beside the form of their data, to be drawn together."""

    chart: str
    rule_set: str
    screen_moving_ranges: bool


def chart(series: Series, settings: Settings) -> Chart:
    """Draw the lines of a chart and judge the rules of its rule set inside each phase.

    Values and lines come back in the displayed unit (raw x multiplier), which is the unit of the
    target. Undefined and overflowing numbers are NaN. Raises SpcError for input that cannot be
    charted. Sources: charts.py for the charts, RULE_SETS for the rules.
    """
    chosen = choices(settings)
    return draw(chosen, checked_form(series, chosen), [(series, settings)])[0]


def choices(settings: Settings) -> Choices:
    """The chart and the rules asked for; SpcError where they do not fit one another."""
    kind, rules = _asked_for(settings.chart, settings.rule_set)
    check_choices(settings)
    check_rules(rules, kind)
    return Choices(kind.name, rules.name, settings.screen_moving_ranges)


@cache  # refusals are not kept, so that there are only as many as charts and rule sets
def _asked_for(chart: str, rules: str | None) -> tuple[ChartType, RuleSet]:
    asked = Settings(chart, rules)
    return chart_type(asked), rule_set(asked)


def checked_form(series: Series, chosen: Choices) -> Form:
    """What the series states; SpcError where the chart is not for it."""
    check_sizes(series)
    form = form_of(series)
    check_form(form, CHARTS[chosen.chart])
    return form


def draw(chosen: Choices, form: Form, requests: Sequence[Request]) -> list[Chart]:
    """The chart of each request.

    Raises SpcError if any of them cannot be charted; its pointer is right only where there is but
    one request.
    """
    return quietly(_draw, chosen, form, requests)


def _draw(chosen: Choices, form: Form, requests: Sequence[Request]) -> list[Chart]:
    kind, rules = CHARTS[chosen.chart], RULE_SETS[chosen.rule_set]
    observed = _OBSERVE[form]([series for series, _ in requests])
    check_numbers(observed, kind)
    layout = lay_out(requests)
    values = kind.statistic(observed, layout.segments)
    screen, d2 = chosen.screen_moving_ranges, D2[rules.constants]
    base = Base(observed, values, layout, screen=screen, d2=d2)
    found = estimate(kind, base)
    lines = draw_lines(kind, found, base)
    judgement = judge(values, lines, observed.excluded, layout.segments, rules)
    multipliers = [settings.multiplier for _, settings in requests]
    shown = display(kind, base, layout, lines, multipliers)
    drawing = Drawing(
        kind,
        rules,
        layout,
        base,
        found,
        lines,
        judgement,
        shown.values,
        shown.lines,
        shown.infinite,
    )
    return cut(drawing, requests)
