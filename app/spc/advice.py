"""Defaults of the field: which chart suits a type of data, and which rules suit a chart."""

from app.spc.charts import CHARTS

_RECOMMENDED = {
    "proportion": "p",
    "yes_no": "p",
    "rate": "u",
    "count": "c",
    "continuous": "i",
    "time_between": "t",
    "count_between": "g",
}


def recommend_chart(data_type: str) -> str:
    """The chart for a measure's data type; a run chart, which suits any series, for all others."""
    return _RECOMMENDED.get(data_type, "run")


def default_rule_set(chart: str) -> str:
    """`mdc` for charts with limits, `anhoej` for those without.

    A chart whose points depend on their neighbours takes no rules about runs: `limits_only`.
    """
    known = CHARTS.get(chart)
    if known is None or not known.has_limits:
        return "anhoej"
    return "mdc" if known.run_rules else "limits_only"
