"""The two icons of Making Data Count in outline: variation (H, L or a wave) and assurance (P, F
or a question mark). The subtitle says the same in words."""

from app.analytics.pictures.scene import Scene
from app.analytics.pictures.style import INK, KINDS, PAPER
from app.analytics.pictures.words import Document, has_limits, is_judged

_WAVE = "M-1,0.1C-0.7,-0.9,-0.35,-0.9,0,0C0.35,0.9,0.7,0.9,1,-0.1"
_GREY = KINDS["common_cause"].fill
_ASSURANCE = {
    "pass": ("P", KINDS["improvement"].fill),
    "fail": ("F", KINDS["concern"].fill),
    "hit_or_miss": ("?", _GREY),
}


def has_assurance(document: Document) -> bool:
    """Whether there is something to assure: a target, and points and limits to judge it by."""
    if not is_judged(document):
        return False
    is_open = document["assurance"] == "hit_or_miss" and has_limits(document)
    return is_open or document["assurance"] in ("pass", "fail")


def variation_kind(document: Document) -> str:
    """The kind of point whose look the variation icon has."""
    variation: str = document["variation"]
    meaning = variation.partition("_")[0]
    return (
        variation
        if meaning == "neither" and variation in KINDS
        else _KIND.get(meaning, "common_cause")
    )


_KIND = {"improvement": "improvement", "concern": "concern", "neither": "neither_high"}


def variation(scene: Scene, document: Document, x: float, y: float, radius: float) -> None:
    """The variation icon around a centre."""
    kind = variation_kind(document)
    if kind == "common_cause":
        _ring(scene, x, y, radius, _GREY)
        size = radius * radius * 1.1
        scene.stamp(x, y, _WAVE, size, fill="none", stroke=_GREY, thickness=radius / 7)
        return
    letter = {"high": "H", "low": "L"}.get(document["variation"].rpartition("_")[2], "!")
    _ring(scene, x, y, radius, KINDS[kind].fill)
    scene.write(x, y, letter, radius * 1.15, align="center", weight="bold", colour=INK)


def assurance(scene: Scene, document: Document, x: float, y: float, radius: float) -> None:
    """The assurance icon around a centre."""
    letter, colour = _ASSURANCE[document["assurance"]]
    _ring(scene, x, y, radius, colour)
    scene.write(x, y, letter, radius * 1.15, align="center", weight="bold", colour=INK)


def _ring(scene: Scene, x: float, y: float, radius: float, colour: str) -> None:
    thickness = radius / 5
    area = 3.1416 * (radius - thickness / 2) ** 2
    scene.stamp(x, y, "circle", area, fill=PAPER, stroke=colour, thickness=round(thickness, 1))
