"""Which charts suit which type of data, and the refusal of those that do not."""

from app import spc
from app.kit.errors import Invalid
from app.measures.models import RATIO_TYPES, SHARE_TYPES, DataType

_EVERY = frozenset(DataType)
_BY_FORM = {"values": _EVERY - RATIO_TYPES, "ratios": RATIO_TYPES, "either": _EVERY}
# Charts that assume a distribution, which the form of the data alone does not tell.
_BY_NAME = {
    "c": frozenset({DataType.COUNT}),
    "u": frozenset({DataType.RATE}),
    "u_prime": frozenset({DataType.RATE}),
    "p": SHARE_TYPES,
    "p_prime": SHARE_TYPES,
    "np": SHARE_TYPES,
    "t": frozenset({DataType.TIME_BETWEEN}),
    "g": frozenset({DataType.COUNT_BETWEEN}),
}


def data_types_of(chart: str) -> frozenset[DataType]:
    """The data types that a chart suits; none for a chart of subgroups, which no measure holds."""
    suited = _BY_NAME.get(chart)
    return suited if suited is not None else _BY_FORM.get(spc.CHARTS[chart].data, frozenset())


def charts_for(data_type: DataType) -> list[str]:
    """The charts that suit a data type, the recommended one first."""
    best = spc.recommend_chart(data_type)
    names = [name for name in spc.CHARTS if data_type in data_types_of(name)]
    return sorted(names, key=lambda name: name != best)


def check_chart(chart: str | None, data_type: DataType) -> None:
    """Raise `Invalid` (422) with advice if a measure of this type cannot be drawn so."""
    if chart is None or data_type in data_types_of(chart):
        return
    advice = ", ".join(charts_for(data_type))
    raise Invalid.at(
        "chart",
        code="chart_does_not_fit",
        detail=f"A {chart} chart does not suit {data_type} data; choose one of {advice}, or null.",
    )
