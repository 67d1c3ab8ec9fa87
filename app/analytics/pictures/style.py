"""What a chart looks like: colours and shapes of Making Data Count, type, sizes of pictures.

Every kind of point has a shape of its own, so that a chart reads without colour; every colour that
carries meaning has a contrast of at least 3:1 on white, and that of text at least 4.5:1 (WCAG 2.2).
"""

from typing import NamedTuple

FONT = "Liberation Sans, Arial, Helvetica, sans-serif"  # equal widths; the first comes bundled
INK = "#212b32"
SOFT = "#425563"
LIMIT = "#5f6f7b"
THREAD = "#8a98a3"  # joins the points
GRID = "#e8edee"
SHADE = "#4255631a"  # the grid shows through
PAPER = "#ffffff"
TARGET = "#c8102e"
LIMIT_DASH = [5, 4]
TARGET_DASH = [8, 4]


class Kind(NamedTuple):
    """How one kind of point is drawn, and what the key says of it."""

    words: str
    shape: str
    fill: str
    stroke: str
    size: float  # area in square pixels, relative to the common one


KINDS = {
    "common_cause": Kind("common cause", "circle", "#6b7a86", "#6b7a86", 1.0),
    "improvement": Kind("special cause: improvement", "square", "#0072ce", "#003f7d", 1.25),
    "concern": Kind("special cause: concern", "diamond", "#e07000", "#8a4000", 1.55),
    "neither_high": Kind("special cause: high", "triangle-up", "#7c4dab", "#4b2675", 1.4),
    "neither_low": Kind("special cause: low", "triangle-down", "#7c4dab", "#4b2675", 1.4),
    "excluded": Kind("excluded", "circle", PAPER, "#8a98a3", 1.0),
}


class Canvas(NamedTuple):
    """The size of a picture in pixels; `k` scales type and strokes."""

    width: int
    height: int
    k: float


CANVASES = {
    "page": Canvas(800, 440, 1.0),
    "slide": Canvas(1280, 720, 1.6),
    "thumbnail": Canvas(240, 120, 0.8),
}
