"""The engine's charts and rule sets as documents; they change with the version only."""

import hashlib
import json
from functools import cache

from app import spc
from app.analytics.judgements.schemas import (
    ChartTypeList,
    ChartTypeRead,
    RuleRead,
    RuleSetList,
    RuleSetRead,
)
from app.measures.charts import data_types_of
from app.measures.models import DataType


def needs_limits(rule: spc.Rule) -> bool:
    """Whether a rule looks at lines that stand some sigma from the centre."""
    return "sigma" in rule.parameters


def fits(rule_set: spc.RuleSet, chart: str) -> bool:
    """Whether at least one rule can speak on this chart."""
    if rule_set.name == spc.default_rule_set(chart):
        return True
    if not spc.CHARTS[chart].run_rules:  # its neighbours share what they are made of
        return all(needs_limits(rule) for rule in rule_set.rules)
    return spc.CHARTS[chart].has_limits or not all(needs_limits(rule) for rule in rule_set.rules)


def rule_sets_for(chart: str) -> list[spc.RuleSet]:
    """The rule sets that fit a chart, its default first."""
    default = spc.default_rule_set(chart)
    fitting = [rule_set for rule_set in spc.RULE_SETS.values() if fits(rule_set, chart)]
    return sorted(fitting, key=lambda rule_set: rule_set.name != default)


@cache
def list_rule_sets() -> RuleSetList:
    """Every rule set."""
    return RuleSetList(
        engine_version=spc.ENGINE_VERSION,
        items=[_rule_set(rule_set) for rule_set in spc.RULE_SETS.values()],
    )


def _rule_set(rule_set: spc.RuleSet) -> RuleSetRead:
    return RuleSetRead(
        name=rule_set.name,
        version=rule_set.version,
        description=rule_set.description,
        constants=rule_set.constants,
        improvement_wins=rule_set.improvement_wins,
        rules=[
            RuleRead(
                name=rule.name,
                parameters=dict(rule.parameters),
                depends_on=rule.runs_limit,
                needs_limits=needs_limits(rule),
            )
            for rule in rule_set.rules
        ],
        default_of=[name for name in spc.CHARTS if spc.default_rule_set(name) == rule_set.name],
        charts=[name for name in spc.CHARTS if fits(rule_set, name)],
    )


@cache
def list_chart_types() -> ChartTypeList:
    """Every chart."""
    return ChartTypeList(
        engine_version=spc.ENGINE_VERSION,
        items=[_chart_type(chart) for chart in spc.CHARTS.values()],
    )


def _chart_type(chart: spc.ChartType) -> ChartTypeRead:
    suited = data_types_of(chart.name)
    return ChartTypeRead(
        name=chart.name,
        description=chart.description,
        data=chart.data,
        has_limits=chart.has_limits,
        run_rules=chart.run_rules,
        floor=chart.floor,
        ceiling=chart.ceiling,
        default_rule_set=spc.default_rule_set(chart.name),
        data_types=[kind for kind in DataType if kind in suited],
        recommended_for=[
            kind for kind in DataType if spc.recommend_chart(kind.value) == chart.name
        ],
    )


@cache
def version() -> str:
    """Of both tables: the engine's version, and a digest of what it has."""
    documents = [list_rule_sets().model_dump_json(), list_chart_types().model_dump_json()]
    digest = hashlib.sha256(json.dumps(documents).encode()).hexdigest()[:12]
    return f"{spc.ENGINE_VERSION}-{digest}"
