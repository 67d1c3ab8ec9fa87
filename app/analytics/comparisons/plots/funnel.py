"""Funnel plots as pictures: every unit a point, both pairs of limits, only outliers labelled."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from app.analytics.comparisons.plots.page import (
    LABEL,
    Entry,
    Page,
    Told,
    rule_layer,
    symbol_channel,
)
from app.analytics.pictures.axes import Tick, vertical
from app.analytics.pictures.ends import End
from app.analytics.pictures.figures import figures_of
from app.analytics.pictures.figures import ticks as round_numbers
from app.analytics.pictures.instants import day_words, milliseconds
from app.analytics.pictures.scene import Layer
from app.analytics.pictures.style import LIMIT, SOFT, THREAD, Canvas
from app.analytics.pictures.typeset import clean, fit, width
from app.analytics.pictures.words import Document

_MOST_LABELS = 12
_CENTRES = {"pooled": "Mean", "target": "Target", "expected": "Expected"}
_X_TITLES = {"proportion": "cases", "rate": "exposure", "ratio": "expected events"}
_Box = tuple[float, float, float, float]
_NAMES = ("lower_998", "lower_95", "upper_95", "upper_998")


class _Look(NamedTuple):
    words: str
    shape: str
    fill: str
    stroke: str
    size: float


_LOOKS = {
    "within": _Look("within 95 %", "circle", "#6b7a86", "#6b7a86", 1.0),
    "better_95": _Look("better, beyond 95 %", "square", "#b8d9f2", "#003f7d", 1.25),
    "better_998": _Look("better, beyond 99.8 %", "square", "#0072ce", "#003f7d", 1.5),
    "worse_95": _Look("worse, beyond 95 %", "diamond", "#fbd9b5", "#8a4000", 1.55),
    "worse_998": _Look("worse, beyond 99.8 %", "diamond", "#e07000", "#8a4000", 1.9),
    "high_95": _Look("high, beyond 95 %", "triangle-up", "#ddd0ea", "#4b2675", 1.4),
    "high_998": _Look("high, beyond 99.8 %", "triangle-up", "#7c4dab", "#4b2675", 1.8),
    "low_95": _Look("low, beyond 95 %", "triangle-down", "#ddd0ea", "#4b2675", 1.4),
    "low_998": _Look("low, beyond 99.8 %", "triangle-down", "#7c4dab", "#4b2675", 1.8),
}


def _kind(unit: Mapping[str, Any]) -> str:
    if unit["side"] is None:
        return "within"
    name = unit["side"] if unit["meaning"] == "neither" else unit["meaning"]
    return f"{name}_{'998' if unit['outside_998'] else '95'}"


def _numbers(document: Document) -> list[float]:
    """What the axis of values must hold: units, centre, and the limits of all but tiny sizes."""
    judged = "adjusted_limits" if document["dispersion"]["is_adjusted"] else "limits"
    values = [unit["value"] for unit in document["units"] if unit["value"] is not None]
    values += [] if document["centre"] is None else [document["centre"]]
    sized = sorted(
        (unit for unit in document["units"] if unit["n"] > 0), key=lambda unit: unit["n"]
    )
    for unit in sized[len(sized) // 10 :]:
        values += [unit[judged][name] for name in _NAMES if unit[judged][name] is not None]
    return values


def funnel(document: Document, canvas: Canvas, *, is_thumbnail: bool) -> dict[str, Any]:
    """The funnel plot of a document."""
    units = [unit for unit in document["units"] if unit["value"] is not None]
    numbers = _numbers(document)
    ceiling = (
        document["settings"]["multiplier"] if document["settings"]["kind"] == "proportion" else None
    )
    y = vertical(numbers, ceiling=ceiling)
    figures = figures_of(numbers, document["unit"])
    page = Page(
        canvas,
        _told(document, units),
        y,
        [(tick, figures.write(tick, finer=1)) for tick in y.ticks(240 * canvas.k, LABEL * canvas.k)]
        if numbers
        else [],
        ends=_ends(document, figures, y.low, y.high),
        is_thumbnail=is_thumbnail,
    )
    page.draw_texts()
    right = max((unit["n"] for unit in units), default=1.0) * 1.05
    sizes = figures_of([0.0, right], None)
    ticks = [Tick(n, [sizes.write(n)]) for n in round_numbers(0.0, right, most=9)]

    def place(n: float) -> float:
        return page.frame.left + n / right * page.frame.width

    data = [unit | {"kind": _kind(unit)} for unit in units]
    page.draw_key(_key(data))
    if not units:
        page.nothing("No unit has a value")
    else:
        page.draw_ticks(ticks, place)
        _draw_labels(page, document, data, place)
    by = page.channels(0.0, right, [tick.value for tick in ticks])
    k = canvas.k
    centre = [{"x": x, "y": document["centre"], "part": "centre"} for x in (0.0, right)]
    layers = [
        *_curves(document, by, k),
        rule_layer("centre", centre, by, stroke=SOFT, strokeWidth=1.4 * k),
        _points(data, by, k),
    ]
    return page.finished(layers if units else [], data, document)


def _curves(document: Document, by: Any, k: float) -> list[Layer]:
    """Both pairs of limits that judged; where they allow for dispersion, the others faintly."""
    looks: dict[str, dict[str, Any]] = {
        "998": {"stroke": LIMIT, "strokeWidth": 1.5 * k, "strokeDash": [6 * k, 3 * k]},
        "95": {"stroke": LIMIT, "strokeWidth": 1.2 * k, "strokeDash": [2 * k, 3 * k]},
    }
    is_adjusted = document["dispersion"]["is_adjusted"]
    judged = "adjusted_limits" if is_adjusted else "limits"
    layers = []
    if is_adjusted:
        faint = {"stroke": THREAD, "strokeWidth": 0.8 * k, "opacity": 0.7}
        layers.append(rule_layer("by_chance", _curve(document, "limits", _NAMES), by, **faint))
    for level, look in looks.items():
        names = [name for name in _NAMES if name.endswith(f"_{level}")]
        layers.append(rule_layer(f"limits_{level}", _curve(document, judged, names), by, **look))
    return layers


def _curve(document: Document, judged: str, names: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {"x": point["n"], "y": point[judged][name], "part": name}
        for name in names
        for point in document["curve"]
        if point[judged][name] is not None
    ]


def _points(data: Sequence[Mapping[str, Any]], by: Any, k: float) -> Layer:
    area = (46.0 if len(data) <= 100 else 24.0) * k * k
    channel: dict[str, Any] = {}
    for name in ("shape", "fill", "stroke"):
        looks = {kind: getattr(look, name) for kind, look in _LOOKS.items()}
        of = "nominal" if name == "shape" else "ordinal"
        channel |= symbol_channel(name, "kind", looks, kind=of)
    areas = {kind: round(look.size * area, 1) for kind, look in _LOOKS.items()}
    channel |= symbol_channel("size", "kind", areas, kind="ordinal")
    shown: list[dict[str, Any]] = [{"field": "label", "type": "nominal", "title": "unit"}]
    shown += [{"field": name, "type": "quantitative"} for name in ("value", "numerator", "n", "z")]
    shown += [{"field": "kind", "type": "nominal"}]
    return {
        "name": "units",
        "mark": {"type": "point", "opacity": 1, "strokeWidth": k},
        "encoding": by.at("n", "value") | channel | {"tooltip": shown},
    }


def _key(data: Sequence[Mapping[str, Any]]) -> list[Entry]:
    seen = {row["kind"] for row in data}
    return [
        Entry(look.words, look.shape, look.fill, look.stroke)
        for kind, look in _LOOKS.items()
        if kind in seen
    ]


def _draw_labels(
    page: Page, document: Document, data: Sequence[Mapping[str, Any]], place: Any
) -> None:
    """Names of outliers beside their points, those beyond 99.8 % first, where nothing collides."""
    outliers = [row for row in data if row["kind"] != "within"]
    outliers.sort(key=lambda row: (not row["outside_998"], -abs(row["z"] or 0.0), row["label"]))
    size, taken = page.size(LABEL), [_box(page, row, place) for row in data]
    taken += _strips(page, document, place)
    for row in outliers[:_MOST_LABELS]:
        x, y = place(row["n"]), page.y.place(row["value"], page.frame)
        text = fit(clean(row["label"]), size, page.frame.width * 0.3)
        wide, gap = width(text, size), page.size(8)
        tries = (
            (x + gap, y, "left", x + gap),
            (x - gap, y, "right", x - gap - wide),
            (x, y - page.size(12), "center", x - wide / 2),
            (x, y + page.size(12), "center", x - wide / 2),
        )
        for at, height, align, left in tries:
            box = (left, height - size / 2, left + wide, height + size / 2)
            if _is_free(page, box, taken):
                page.write(at, height, text, LABEL, align=align)
                taken.append(box)
                break


def _strips(page: Page, document: Document, place: Any) -> list[_Box]:
    """Where the limits run, so that no label lies on them."""
    judged = "adjusted_limits" if document["dispersion"]["is_adjusted"] else "limits"
    strips = []
    for before, after in pairwise(document["curve"]):
        for name in _NAMES:
            pair = before[judged][name], after[judged][name]
            if None not in pair:
                heights = [page.y.place(value, page.frame) for value in pair]
                strips.append((place(before["n"]), min(heights), place(after["n"]), max(heights)))
    return strips


def _box(page: Page, row: Mapping[str, Any], place: Any) -> _Box:
    x, y, reach = place(row["n"]), page.y.place(row["value"], page.frame), page.size(4)
    return x - reach, y - reach, x + reach, y + reach


def _is_free(page: Page, box: _Box, taken: Sequence[_Box]) -> bool:
    left, top, right, bottom = box
    frame = page.frame
    if left < frame.left or right > frame.right or top < frame.top or bottom > frame.bottom:
        return False
    return not any(left < b[2] and right > b[0] and top < b[3] and bottom > b[1] for b in taken)


def _ends(document: Document, figures: Any, low: float, high: float) -> list[End]:
    if document["centre"] is None or not document["curve"]:
        return []
    judged = "adjusted_limits" if document["dispersion"]["is_adjusted"] else "limits"
    last = document["curve"][-1][judged]
    names = (("upper_998", "99.8 %"), ("upper_95", "95 %"), ("lower_95", "95 %"))
    found = [
        End(last[name], words, LIMIT)
        for name, words in (*names, ("lower_998", "99.8 %"))
        if last[name] is not None and low <= last[name] <= high
    ]
    name = _CENTRES[document["centre_source"]]
    found.append(End(document["centre"], f"{name} {figures.write(document['centre'])}", SOFT))
    return sorted(found, key=lambda end: -end.value)


def _told(document: Document, units: Sequence[Mapping[str, Any]]) -> Told:
    far = [clean(unit["label"]) for unit in units if unit["outside_998"]]
    near = sum(unit["outside_95"] for unit in units) - len(far)
    number = "1 unit" if len(units) == 1 else f"{len(units):,} units"
    named = f" ({', '.join(far[:3])}{f' and {len(far) - 3} more' if len(far) > 3 else ''})"
    lines = [
        f"{number}: {len(far)} beyond the 99.8 % limits{named if far else ''}, "
        f"{near} more beyond the 95 % limits."
    ]
    dispersion = document["dispersion"]
    if dispersion["is_adjusted"]:
        lines.append(
            f"They differ more than chance explains (phi {dispersion['phi']:.1f}); the limits "
            "allow for it, thin lines do not."
        )
    codes = {warning["code"]: warning["detail"] for warning in document["quality"]["warnings"]}
    lines += [codes[code] for code in ("no_limits",) if code in codes]
    footer = ["Funnel plot", "exact limits" if not dispersion["is_adjusted"] else "adjusted limits"]
    empty = len(document["units"]) - len(units)
    footer += [f"{empty} without a denominator not drawn"] if empty else []
    if document["as_of"]:
        footer.append(f"data of {day_words(milliseconds(document['as_of']))}")
    title = document["title"] or "Untitled comparison"
    unit = "" if document["unit"] in (None, "%") else document["unit"]
    return Told(
        title,
        lines,
        footer,
        f"{title}. Funnel plot. {' '.join(lines)}",
        x_title=_X_TITLES[document["settings"]["kind"]],
        y_title=unit,
    )
