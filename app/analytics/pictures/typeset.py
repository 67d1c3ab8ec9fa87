"""Measures, shortens and wraps text before it is drawn, so that nothing overlaps or runs out."""

import re
import unicodedata

# Advance widths of Liberation Sans, which are those of Arial, in thousandths of the type size,
# for the characters from space to tilde.
_WIDTHS = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
)  # fmt: skip
_BOLD = 1.08
_ELLIPSIS = "\u2026"
# XML forbids most control characters and no picture can show them; overrides of the writing
# direction could turn what stands beside a text.
_UNDRAWABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\ufffe\uffff\ud800-\udfff]+")
_JOINERS = "\u200d\ufe0f"


def clean(text: str) -> str:
    """The text as it can be drawn: on one line, without control characters."""
    return _UNDRAWABLE.sub(" ", text).strip()


def _advance(character: str) -> int:
    place = ord(character) - 32
    if 0 <= place < len(_WIDTHS):
        return _WIDTHS[place]
    if unicodedata.combining(character) or character in _JOINERS:
        return 0
    return 1050 if unicodedata.east_asian_width(character) in "WF" else 620


def width(text: str, size: float, *, bold: bool = False) -> float:
    """The width in pixels; exact for Latin text, and rather too wide for the rest."""
    thousandths = sum(map(_advance, text))
    return thousandths * size / 1000 * (_BOLD if bold else 1)


def fit(text: str, size: float, room: float, *, bold: bool = False) -> str:
    """The text, shortened by an ellipsis to the room; empty where not even that has room."""
    if width(text, size, bold=bold) <= room:
        return text
    room -= width(_ELLIPSIS, size, bold=bold)
    used, kept = 0.0, 0
    while kept < len(text) and (used := used + width(text[kept], size, bold=bold)) <= room:
        kept += 1
    shortened = _without_torn_end(text[:kept], text[kept:])
    return f"{shortened}{_ELLIPSIS}" if shortened else ""


def _without_torn_end(head: str, tail: str) -> str:
    """A character is not parted from its accents, nor an emoji from what it is joined with."""
    while head and tail and (unicodedata.combining(tail[0]) or tail[0] in _JOINERS):
        head, tail = head[:-1], head[-1] + tail
    return head.rstrip().rstrip("\u200d").rstrip(" ,;:(-")


def wrap(text: str, size: float, room: float, *, lines: int, bold: bool = False) -> list[str]:
    """The text in at most so many lines, the last one shortened if need be."""
    wrapped: list[str] = []
    words = text.split()
    while words and len(wrapped) < lines - 1:
        line = words.pop(0)
        while words and width(f"{line} {words[0]}", size, bold=bold) <= room:
            line = f"{line} {words.pop(0)}"
        if width(line, size, bold=bold) > room:  # a single word, or a script without spaces
            head = fit(line, size, room, bold=bold).removesuffix(_ELLIPSIS)
            words.insert(0, line[len(head) :])
            line = head
            if not head:
                break
        wrapped.append(line)
    return [*wrapped, fit(" ".join(words), size, room, bold=bold)] if words else wrapped
