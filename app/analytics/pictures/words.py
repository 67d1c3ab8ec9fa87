"""What a chart says, in words: its verdict, how far to trust it, and a text for those who cannot
see it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from app.analytics.pictures.axes import Horizontal
from app.analytics.pictures.figures import Figures
from app.analytics.pictures.typeset import clean

Document = Mapping[str, Any]
Points = Sequence[Mapping[str, Any]]
_CHARTS = {
    "run": "Run chart",
    "i": "I chart (XmR)",
    "i_median": "I chart with median centre",
    "i_prime": "I\u2032 chart",
    "mr": "Moving range chart",
    "xbar": "X-bar chart",
    "u_prime": "U\u2032 chart (Laney)",
    "p_prime": "P\u2032 chart (Laney)",
}
_RULE_SETS = {
    "mdc": "Making Data Count",
    "plotthedots": "NHSRplotthedots",
    "anhoej": "Anh\u00f8j",
    "lifeqi": "LifeQI",
    "ihi_run": "IHI run chart",
    "ihi_spc": "IHI SPC",
    "western_electric": "Western Electric",
    "nelson": "Nelson",
    "wahealth": "WA Health",
    "limits_only": "limits only",
}
_BETTER = {"increase": "higher is better", "decrease": "lower is better"}
_ASSURED = {
    "pass": "will be met consistently",
    "fail": "will be missed consistently",
    "hit_or_miss": "will be hit or missed",
}
_ASSURED_BRIEFLY = {"pass": "met", "fail": "missed", "hit_or_miss": "hit or missed"}
_BRIEF = {
    "common": "Common cause",
    "improvement": "Improvement",
    "concern": "Concern",
    "neither": "Change",
}
# What makes limits wrong, not only loose, stands in the picture itself.
_WRONG_LIMITS = {
    "over_dispersed": "Limits too narrow: points vary more than their counts explain.",
    "many_zeros": "Events too rare for these limits.",
    "small_counts": "Counts too small for these limits.",
}
_MEDIANS = ("run", "i_median", "g")


def chart_name(document: Document) -> str:
    """The chart by its name in the field."""
    name = document["chart"]
    return _CHARTS.get(name) or f"{clean(name).replace('_', ' ').upper()} chart"


def centre_name(document: Document) -> str:
    """What the centre line is."""
    return "Median" if document["chart"] in _MEDIANS else "Mean"


def rules_words(document: Document) -> str:
    """The rule set with its version."""
    settings = document["settings"]
    name = settings["rule_set"]
    return f"{_RULE_SETS.get(name, name.replace('_', ' '))} rules v{settings['rule_set_version']}"


def variation_words(document: Document) -> str:
    """The variation icon's meaning."""
    if not is_judged(document):
        return "No data to judge yet."
    meaning, _, side = document["variation"].partition("_")
    better = _BETTER.get(document["settings"]["direction"])
    if meaning == "common":
        return "Common cause: no significant change at the latest point."
    if meaning == "neither":
        change = {"high": "upwards", "low": "downwards"}.get(side, "of the process")
        return f"Special cause: a change {change}, neither better nor worse."
    return f"Special cause: {meaning}{f' ({better})' if better else ''}."


def is_judged(document: Document) -> bool:
    """Whether there is a point that the rules could judge."""
    return any(p["value"] is not None and not p["excluded"] for p in document["points"])


def brief_words(document: Document, figures: Figures) -> str:
    """Variation and assurance in as few words as can be."""
    if not is_judged(document):
        return "No data to judge yet"
    variation = document["variation"]
    words: str = _BRIEF.get(variation.partition("_")[0], variation.replace("_", " "))
    target = document["points"][-1]["target"]
    if target is None:
        return words
    verdict = f" {_ASSURED_BRIEFLY.get(document['assurance'], '')}".rstrip()
    if document["assurance"] == "hit_or_miss" and not has_limits(document):
        verdict = ""
    if verdict and speaks_of_baseline(document):
        verdict += " by the baseline"
    return f"{words} \u00b7 target {figures.write(target, finer=1)}{verdict}"


def speaks_of_baseline(document: Document) -> bool:
    """Whether the limits, and so the verdict on the target, are of a process that has changed."""
    last = document["points"][-1]
    return bool(document["variation"] != "common_cause" and not last["in_baseline"])


def has_limits(document: Document) -> bool:
    """Whether the latest phase has limits."""
    return bool(document["quality"]["limits"] != "none")


def assurance_words(document: Document, figures: Figures) -> str:
    """The assurance icon's meaning, with the latest target; empty without one."""
    points = document["points"]
    if not points or (target := points[-1]["target"]) is None:
        return ""
    stated = f"Target {figures.write(target, finer=1)}"
    verdict = _ASSURED.get(document["assurance"])
    if verdict is None or not is_judged(document):
        return f"{stated}."
    if document["assurance"] == "hit_or_miss" and not has_limits(document):
        return f"{stated}: cannot be judged without limits."
    if speaks_of_baseline(document):
        return f"{stated}: {verdict} by the process of the baseline."
    return f"{stated}: {verdict}."


def trust_words(document: Document) -> str:
    """How far the limits can be trusted; nothing of a chart that never has any."""
    quality = document["quality"]
    base = quality["baseline_points"]
    codes = {warning["code"] for warning in quality["warnings"]}
    if quality["limits"] != "none":
        is_firm = quality["limits"] == "firm"
        stated = f"Limits from {_points(base)}."
        if not is_firm:
            stated = f"{quality['limits'].capitalize()} limits: {_points(base)}."
        return " ".join([stated, *(text for code, text in _WRONG_LIMITS.items() if code in codes)])
    if document["chart"] == "run" or not is_judged(document):
        return ""
    why = ": the values do not vary" if "no_variation" in codes else " could be computed"
    return f"No limits{why}."


def crossings_words(document: Document) -> str:
    """That the latest phase crosses its centre too rarely: a signal without points of its own."""
    last = len(document["phases"]) - 1
    rules = {signal["rule"] for signal in document["signals"] if signal["phase"] == last}
    if "few_crossings" not in rules:
        return ""
    phase, centre = document["phases"][last], centre_name(document).lower()
    found, expected = phase["crossings"], phase["crossings_min"]
    return f"Only {found} crossings of the {centre}, where chance makes {expected} or more."


def _points(number: int) -> str:
    return "1 point" if number == 1 else f"{number:,} points"


def latest_words(points: Points, axis: Horizontal, figures: Figures) -> str:
    """The last value, and when; of the points that the axis has."""
    if not points:
        return "There are no points yet."
    row = next((r for r in reversed(range(len(points))) if points[r]["value"] is not None), None)
    if row is None:
        return "No point has a value."
    return f"Latest {figures.write(points[row]['value'])} ({axis.words(row)})."


def signal_words(document: Document) -> str:
    """The signals by rule: 2 shift, 1 outside limits."""
    found = Counter(signal["rule"].replace("_", " ") for signal in document["signals"])
    return ", ".join(f"{number} {rule}" for rule, number in found.items()) or "none"


def alternative(document: Document, drawn: Points, axis: Horizontal, figures: Figures) -> str:
    """The chart in words, for readers who cannot see it and for search."""
    points = document["points"]
    span = f", {axis.words(0)} to {axis.words(-1)}" if points else ""
    last = points[-1] if points else dict.fromkeys(("centre", "lower_limit", "upper_limit"))
    lines = f"{centre_name(document)} {figures.write(last['centre'], finer=1)}"
    if last["lower_limit"] is not None and last["upper_limit"] is not None:
        low, high = (figures.write(last[name]) for name in ("lower_limit", "upper_limit"))
        lines += f", limits {low} to {high}"
    number = len(document["phases"])
    parts = (
        f"{clean(document['title'] or 'Untitled measure')}.",
        f"{chart_name(document)} of {_points(len(points))}{span}"
        f"{f', in {number} phases' if number > 1 else ''}.",
        f"{lines}.",
        latest_words(drawn, axis, figures),
        variation_words(document),
        assurance_words(document, figures),
        crossings_words(document),
        trust_words(document),
        f"Signals: {signal_words(document)} ({rules_words(document)}).",
        *(clean(warning["detail"]) for warning in document["quality"]["warnings"]),
    )
    return " ".join(part for part in parts if part)
