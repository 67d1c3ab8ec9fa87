"""Defaults of the field: which chart suits a type of data, and which rules suit a chart."""

from app.spc.charts import CHARTS

_RECOMMENDED = {
    "proportion": "p",
    "yes_no": "p",
    "rate": "u",
    "count": "c",
    "continuous": "i",
    # Until t and g charts exist: an individuals chart shows days between events, and a run chart
    # assumes nothing about the skewed counts between them.
    "time_between": "i",
    "count_between": "run",
}


def recommend_chart(data_type: str) -> str:
    """The chart for a measure's data type; a run chart, which suits any series, for all others."""
    return _RECOMMENDED.get(data_type, "run")


def default_rule_set(chart: str) -> str:
    """`anhoej` for charts without limits, `mdc` for charts with them."""
    known = CHARTS.get(chart)
    return "mdc" if known is not None and known.has_limits else "anhoej"
