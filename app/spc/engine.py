"""chart(): a series and settings in, lines and signals out. draw() does so for many at once."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from app.spc.bases import Base
from app.spc.charts import CHARTS, D2
from app.spc.cutting import Request, cut
from app.spc.display import display, levels
from app.spc.fit import check_form, check_numbers, check_rules
from app.spc.judging import judge
from app.spc.phases import draw_lines, estimate, lay_out
from app.spc.results import Chart, Drawing
from app.spc.rule_sets import RULE_SETS
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


class Recipe(NamedTuple):
    """What series must share to be drawn together."""

    chart: str
    rule_set: str
    form: Form
    screen_moving_ranges: bool


def chart(series: Series, settings: Settings) -> Chart:
    """Draw the lines of a chart and judge the rules of its rule set inside each phase.

    Values and lines come back in the displayed unit (raw x multiplier), which is the unit of the
    target. Undefined and overflowing numbers are NaN. Raises SpcError for input that cannot be
    charted. Sources: charts.py for the charts, RULE_SETS for the rules.
    """
    return draw(recipe_of(series, settings), [(series, settings)])[0]


def recipe_of(series: Series, settings: Settings) -> Recipe:
    """How to draw a series; SpcError where chart, rules and data do not fit one another."""
    kind, rules = chart_type(settings), rule_set(settings)
    check_choices(settings)
    check_rules(rules, kind)
    check_sizes(series)
    form = form_of(series)
    check_form(form, kind)
    return Recipe(kind.name, rules.name, form, settings.screen_moving_ranges)


def draw(recipe: Recipe, requests: Sequence[Request]) -> list[Chart]:
    """The chart of each request, all of one recipe.

    Raises SpcError if any of them cannot be charted; its pointer is right only where there is but
    one request.
    """
    with np.errstate(all="ignore"):  # undefined and huge numbers are expected, and become NaN
        return _draw(recipe, requests)


def _draw(recipe: Recipe, requests: Sequence[Request]) -> list[Chart]:
    kind, rules = CHARTS[recipe.chart], RULE_SETS[recipe.rule_set]
    observed = _OBSERVE[recipe.form]([series for series, _ in requests])
    check_numbers(observed, kind)
    layout = lay_out(requests)
    values = kind.statistic(observed, layout.segments)
    screen, d2 = recipe.screen_moving_ranges, D2[rules.constants]
    base = Base(observed, values, layout, screen=screen, d2=d2)
    found = estimate(kind, base)
    lines = draw_lines(kind, found, base)
    judgement = judge(values, lines, observed.excluded, layout.segments, rules)
    multipliers = [settings.multiplier for _, settings in requests]
    shown = display(kind, base, layout, lines, multipliers)
    drawing = Drawing(
        kind,
        rules,
        observed,
        layout,
        levels(kind, base, layout, found, lines),
        judgement.runs,
        values == values,
        shown.values,
        shown.lines,
        judgement.outside_limits,
        shown.infinite,
    )
    return cut(drawing, judgement.found, requests)
