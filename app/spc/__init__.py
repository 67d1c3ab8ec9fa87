"""The SPC engine: chart(series, settings) computes lines and signals, charts() those of many series
at once, document() prints them.

Pure: numpy only, no clock, no input or output, the same bytes for the same input.
"""

from app.spc.advice import ChartAdvice, advise_chart, default_rule_set, recommend_chart
from app.spc.batch import charts
from app.spc.charts import CHARTS, ChartType
from app.spc.document import document
from app.spc.engine import chart
from app.spc.errors import SpcError
from app.spc.feasibility import (
    FREQUENCIES,
    CollectionPlan,
    Feasibility,
    feasibility,
)
from app.spc.feasibility import Option as FeasibilityOption
from app.spc.feasibility_text import explain
from app.spc.phases import Phase
from app.spc.quality import DataWarning, Quality
from app.spc.results import Chart
from app.spc.rule_sets import RULE_SETS, Rule, RuleSet
from app.spc.runs import Runs
from app.spc.series import MAX_POINTS, MAX_SUBGROUP, Series
from app.spc.settings import DIRECTIONS, ENGINE_VERSION, Settings, settings_hash
from app.spc.signals import Signal

__all__ = [
    "CHARTS",
    "DIRECTIONS",
    "ENGINE_VERSION",
    "FREQUENCIES",
    "MAX_POINTS",
    "MAX_SUBGROUP",
    "RULE_SETS",
    "Chart",
    "ChartAdvice",
    "ChartType",
    "CollectionPlan",
    "DataWarning",
    "Feasibility",
    "FeasibilityOption",
    "Phase",
    "Quality",
    "Rule",
    "RuleSet",
    "Runs",
    "Series",
    "Settings",
    "Signal",
    "SpcError",
    "advise_chart",
    "chart",
    "charts",
    "default_rule_set",
    "document",
    "explain",
    "feasibility",
    "recommend_chart",
    "settings_hash",
]
