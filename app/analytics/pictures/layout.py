"""Where the parts of a chart stand: heading, flags, phases, plot, ticks, key, list and footer."""

from dataclasses import dataclass, field

from app.analytics.pictures import typeset
from app.analytics.pictures.axes import (
    Frame,
    Tick,
    Vertical,
    numbers_of,
    vertical,
)
from app.analytics.pictures.ends import End, ends_of
from app.analytics.pictures.figures import Figures, figures_of
from app.analytics.pictures.notes import Flag, Note, flags, listed, notes_of, numbers
from app.analytics.pictures.rows import Rows, rows_of
from app.analytics.pictures.style import Canvas
from app.analytics.pictures.words import (
    Document,
    assurance_words,
    crossings_words,
    latest_words,
    trust_words,
    variation_words,
)

_SHARES = ("p", "p_prime")
MARGIN = 14  # all lengths of this file are for k = 1
TITLE, SUBTITLE, LABEL, SMALL = 17.0, 12.5, 11.0, 10.0
LANE, STRIP, ROW = 16, 17, 15
ICON = 15  # radius
COLUMNS = 2  # of the list of notes
_LISTED_ROWS = 6


@dataclass(frozen=True, slots=True)
class Layout:
    """A document with the place of everything that is drawn of it, in pixels."""

    document: Document
    canvas: Canvas
    rows: Rows
    figures: Figures
    frame: Frame
    y: Vertical
    x_ticks: list[Tick] = field(default_factory=list)
    y_ticks: list[float] = field(default_factory=list)
    title: list[str] = field(default_factory=list)
    subtitle: list[str] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)
    ends: list[End] = field(default_factory=list)
    has_strip: bool = False  # of phase names, above the plot

    def size(self, points: float) -> float:
        """A length of this picture."""
        return points * self.canvas.k


def lay_out(document: Document, canvas: Canvas, *, is_thumbnail: bool) -> Layout:
    """Place everything. The margins come first, for what is inside depends on their width."""
    return _thumbnail(document, canvas) if is_thumbnail else _Page(document, canvas).lay_out()


def _vertical(document: Document, rows: Rows) -> Vertical:
    is_share = document["chart"] in _SHARES
    ceiling = document["settings"]["multiplier"] if is_share else None
    return vertical(numbers_of(rows.points), ceiling=ceiling)


def _thumbnail(document: Document, canvas: Canvas) -> Layout:
    frame = Frame(8, 8, canvas.width - 50, canvas.height - 16)
    rows = rows_of(document, frame.width)
    return Layout(
        document=document,
        canvas=canvas,
        rows=rows,
        figures=figures_of(numbers_of(rows.points), document["unit"]),
        frame=frame,
        y=_vertical(document, rows),
    )


class _Page:
    """The layout of a picture with texts, worked out from the outside in."""

    def __init__(self, document: Document, canvas: Canvas) -> None:
        self.document, self.canvas, self.k = document, canvas, canvas.k
        self.rows = rows_of(document, canvas.width * 0.75)
        self.numbers = numbers_of(self.rows.points)
        self.figures = figures_of(self.numbers, document["unit"])
        self.y = _vertical(document, self.rows)
        self.has_strip = len(document["phases"]) > 1 or any(
            phase["label"] for phase in document["phases"]
        )

    def lay_out(self) -> Layout:
        k = self.k
        title, subtitle = self._heading()
        ends = ends_of(self.document, self.rows, self.figures)
        left, width = self._columns(ends)
        across = Frame(left, 0, width, 0)
        notes = notes_of(self.rows, across)
        placed, lines = self._flags(notes)
        lanes = max((flag.lane + 1 for flag in placed), default=0)
        top = MARGIN * k + (len(title) * 21 + len(subtitle) * 17) * k + 8 * k
        top += lanes * LANE * k + (STRIP * k if self.has_strip else 0)
        x_ticks = self.rows.axis.ticks(width, LABEL * k)
        tick_lines = max((len(tick.lines) for tick in x_ticks), default=1)
        list_rows = -(-len(lines) // COLUMNS)
        bottom = (10 + tick_lines * 13 + 22 + list_rows * ROW + 16 + MARGIN - 6) * k
        height = max(self.canvas.height - top - bottom, 20.0)
        return Layout(
            document=self.document,
            canvas=self.canvas,
            rows=self.rows,
            figures=self.figures,
            frame=Frame(left, round(top), width, round(height)),
            y=self.y,
            x_ticks=x_ticks,
            y_ticks=self.y.ticks(height, LABEL * k) if self.numbers else [],
            title=title,
            subtitle=subtitle,
            flags=placed,
            listed=lines,
            ends=ends,
            has_strip=self.has_strip,
        )

    def _heading(self) -> tuple[list[str], list[str]]:
        document, k = self.document, self.k
        room = self.canvas.width - (2 * MARGIN + 5 * ICON) * k
        name = typeset.clean(document["title"] or "") or "Untitled measure"
        title = typeset.wrap(name, TITLE * k, room, lines=2, bold=True)
        verdict = f"{variation_words(document)} {assurance_words(document, self.figures)}"
        latest = latest_words(self.rows.points, self.rows.axis, self.figures)
        trust = f"{latest} {crossings_words(document)} {trust_words(document)}"
        sub_room = room - 18 * k
        lines = [
            line
            for text in (verdict, trust)
            for line in typeset.wrap(text, SUBTITLE * k, sub_room, lines=2)
        ]
        return title, lines

    def _columns(self, ends: list[End]) -> tuple[float, float]:
        """Left edge and width of the plot."""
        k = self.k
        labels = [self.figures.write(tick) for tick in self.y.ticks(200 * k, LABEL * k)]
        widest = max(typeset.width(label, LABEL * k) for label in [*labels, "0"])
        unit = self.document["unit"]
        left = MARGIN * k + widest + 8 * k + (16 * k if unit and unit != "%" else 0)
        right = max((typeset.width(end.text, LABEL * k) for end in ends), default=0.0)
        right = min(right + 10 * k, self.canvas.width * 0.28) + MARGIN * k
        return round(left), round(self.canvas.width - left - right)

    def _flags(self, notes: list[Note]) -> tuple[list[Flag], list[str]]:
        edge = self.canvas.width - MARGIN * self.k
        placed = flags(notes, edge, LABEL * self.k)
        if placed is not None:
            return placed, []
        most = COLUMNS * _LISTED_ROWS - 1
        shown = notes[-most:]
        lines = listed(shown, self.rows.axis)
        if len(shown) < len(notes):
            lines.append(f"\tand {len(notes) - len(shown):,} earlier")
        return numbers(shown, LABEL * self.k), lines
