"""One series under every rule set that fits its chart, side by side: what is shared stands once."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from app import spc
from app.analytics.drawing import Unchartable, document_of, judge_each
from app.analytics.judgements.tables import rule_sets_for
from app.measures.marks import AnnotationRow

_SHARED = ("chart", "title", "unit", "engine_version", "as_of")
_OF_A_POINT = (
    "x",
    "value",
    "numerator",
    "denominator",
    "phase",
    "excluded",
    "in_baseline",
    "target",
    "note",
    "annotations",
)
_LINES = ("centre", "lower_limit", "upper_limit", "lower_warning", "upper_warning")
_OF_A_RULE_SET = ("rule_set", "rule_set_version", "constants")

Document = dict[str, Any]


def compare(
    series: spc.Series,
    settings: spc.Settings,
    *,
    as_of: str | None = None,
    annotations: Sequence[AnnotationRow] = (),
    place: Callable[[str], dict[str, str]],
) -> Document:
    """The comparison. Raises `Unchartable` with the engine's own advice."""
    chosen = settings.rule_set or spc.default_rule_set(settings.chart)
    names = (
        [rule_set.name for rule_set in rule_sets_for(settings.chart)]
        if (settings.chart in spc.CHARTS)
        else []
    )
    names += [] if chosen in names else [chosen]  # also to hear what the engine says of it
    judged = judge_each((series, replace(settings, rule_set=name)) for name in names)
    charts = []
    for chart in judged:
        if isinstance(chart, spc.SpcError):
            raise Unchartable.because(chart, place) from chart
        charts.append(chart)
    documents = [document_of(chart, as_of=as_of, annotations=annotations) for chart in charts]
    first = documents[0]
    shared = {
        name: value for name, value in first["settings"].items() if name not in _OF_A_RULE_SET
    }
    return {
        **{name: first[name] for name in _SHARED},
        "settings": shared,
        "points": [{name: point[name] for name in _OF_A_POINT} for point in first["points"]],
        "lines": _lines(documents),
        "rule_sets": [
            _judgement(chart, document, is_chosen=chart.rules.name == chosen)
            for chart, document in zip(charts, documents, strict=True)
        ],
    }


def _lines(documents: Sequence[Document]) -> list[Document]:
    """The lines of each kind of constants, with the rule sets that share them."""
    by_constants: dict[str, list[Document]] = {}
    for document in documents:
        by_constants.setdefault(document["settings"]["constants"], []).append(document)
    return [
        {
            "constants": constants,
            "rule_sets": [document["settings"]["rule_set"] for document in sharing],
            "phases": sharing[0]["phases"],
            **{name: [point[name] for point in sharing[0]["points"]] for name in _LINES},
        }
        for constants, sharing in by_constants.items()
    ]


def _judgement(chart: spc.Chart, document: Document, *, is_chosen: bool) -> Document:
    return {
        **{name: document["settings"][name] for name in _OF_A_RULE_SET},
        "description": chart.rules.description,
        "is_chosen": is_chosen,
        "settings_hash": document["settings_hash"],
        "variation": document["variation"],
        "assurance": document["assurance"],
        "outside_limits": chart.outside_limits.nonzero()[0].tolist(),
        "signals": document["signals"],
        "quality": document["quality"],
    }
