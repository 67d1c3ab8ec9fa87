"""Draws what stands around the data: heading, axes' labels, baselines, phases, flags, line ends."""

from itertools import pairwise

from app.analytics.pictures import icons, typeset
from app.analytics.pictures.axes import Frame
from app.analytics.pictures.ends import spread
from app.analytics.pictures.layout import ICON, LABEL, LANE, MARGIN, STRIP, SUBTITLE, TITLE, Layout
from app.analytics.pictures.rows import baselines
from app.analytics.pictures.scene import Scene
from app.analytics.pictures.style import INK, KINDS, PAPER, SHADE, SOFT, THREAD
from app.analytics.pictures.words import centre_name, is_judged

_MARKS = {"pdsa_start": "triangle-right"}


def draw_heading(scene: Scene, at: Layout) -> None:
    """Title, verdict with the symbol of the latest points, trust; the icons at the right."""
    x, y = at.size(MARGIN), at.size(MARGIN + 9)
    for line in at.title:
        scene.write(x, y, line, at.size(TITLE), weight="bold")
        y += at.size(21)
    y -= at.size(2)
    if is_judged(at.document):
        kind = KINDS[icons.variation_kind(at.document)]
        area = at.size(1) ** 2 * 62 * kind.size
        scene.stamp(x + at.size(5), y, kind.shape, area, fill=kind.fill, stroke=kind.stroke)
        _draw_icons(scene, at)
        x += at.size(16)
    for line in at.subtitle:
        scene.write(x, y, line, at.size(SUBTITLE), colour=SOFT)
        y += at.size(17)


def _draw_icons(scene: Scene, at: Layout) -> None:
    x, y, radius = at.canvas.width - at.size(MARGIN + ICON), at.size(MARGIN + ICON), at.size(ICON)
    if icons.has_assurance(at.document):
        icons.assurance(scene, at.document, x, y, radius)
        x -= 2.35 * radius
    icons.variation(scene, at.document, x, y, radius)


def draw_axes(scene: Scene, at: Layout) -> None:
    """The labels of the ticks, and the unit beside the axis of values."""
    frame, size = at.frame, at.size(LABEL)
    for value in at.y_ticks:
        y = at.y.place(value, frame)
        text = at.figures.write(value, finer=1)
        scene.write(frame.left - at.size(7), y, text, size, colour=SOFT, align="right")
    for tick in at.x_ticks:
        x = at.rows.axis.place(tick.value, frame)
        for row, line in enumerate(tick.lines):
            y = frame.bottom + at.size(14 + 13 * row)
            half = typeset.width(line, size) / 2
            inside = min(max(x, half + at.size(2)), at.canvas.width - half - at.size(2))
            scene.write(inside, y, line, size, colour=SOFT, align="center")
    unit = typeset.clean(at.document["unit"] or "")
    if unit and unit != "%":
        text = typeset.fit(unit, size, frame.height + at.size(20))
        x, y = at.size(MARGIN + 2), frame.top + frame.height / 2
        scene.write(x, y, text, size, colour=SOFT, align="center", angle=270)
    if not any(point["value"] is not None for point in at.rows.points):
        x, y = frame.left + frame.width / 2, frame.top + frame.height / 4
        scene.write(x, y, "No data to draw", at.size(SUBTITLE), colour=SOFT, align="center")


def draw_baselines(scene: Scene, at: Layout) -> None:
    """A shade under the points that the lines are taken from, where they are not all points."""
    for low, high in baselines(at.rows):
        left, right = (at.rows.axis.place(value, at.frame) for value in (low, high))
        scene.box(Frame(left, at.frame.top, right - left, at.frame.height), SHADE)


def draw_phases(scene: Scene, at: Layout) -> None:
    """A thin line between phases, and above each its name with its centre."""
    if not at.has_strip:
        return
    frame, size = at.frame, at.size(LABEL)
    edges, y = at.rows.axis.edges(), at.frame.top - at.size(STRIP) / 2
    starts = [0]
    for row, (before, after) in enumerate(pairwise(at.rows.points), 1):
        if before["phase"] != after["phase"]:
            starts.append(row)
            x = at.rows.axis.place(edges[row], frame)
            top = frame.top - at.size(STRIP)
            scene.stroke((x, top), (x, frame.bottom), THREAD, 0.8 * at.canvas.k)
    for start, stop in pairwise([*starts, len(at.rows.points)]):
        left, right = (at.rows.axis.place(edges[row], frame) for row in (start, stop))
        text = _phase_name(at, at.rows.points[start]["phase"], right - left - at.size(8), size)
        scene.write(left + at.size(4), y, text, size, colour=INK)


def _phase_name(at: Layout, index: int, room: float, size: float) -> str:
    """Name and centre; the name alone, shortened, or its number, where there is less room."""
    phase = at.document["phases"][index]
    label = typeset.clean(phase["label"] or "")
    name = label or f"Phase {index + 1}"
    centre = f"{centre_name(at.document).lower()} {at.figures.write(phase['centre'])}"
    whole = f"{name}, {centre}" if phase["centre"] is not None else name
    for text in (whole, name):
        if typeset.width(text, size) <= room:
            return text
    shortened = typeset.fit(label, size, room)
    return shortened if len(shortened) > 4 else typeset.fit(str(index + 1), size, room)


def draw_flags(scene: Scene, at: Layout) -> None:
    """Each note's staff down to the plot, its mark, and its label or number."""
    frame, size = at.frame, at.size(LABEL)
    strip = at.size(STRIP) if at.has_strip else 0.0
    for flag in at.flags:
        x = flag.note.x
        y = frame.top - strip - at.size(LANE) * (flag.lane + 0.5)
        staff = THREAD, 0.8 * at.canvas.k, (1.5 * at.canvas.k, 2.5 * at.canvas.k)
        scene.stroke((x, y), (x, frame.top - strip), *staff)
        scene.stroke((x, frame.top), (x, frame.bottom), *staff)
        if at.listed:
            is_pdsa = flag.note.kind in _MARKS
            area = 3.6 * size * size * 0.62
            shape = "square" if is_pdsa else "circle"
            scene.stamp(x, y, shape, area, fill=PAPER, stroke=INK, thickness=at.canvas.k)
            scene.write(x, y, flag.label, size * 0.9, align="center")
            continue
        shape = _MARKS.get(flag.note.kind, "circle")
        area = size * size * (0.28 if shape == "circle" else 0.4)
        scene.stamp(x, y, shape, area, fill=INK, stroke=INK)
        scene.write(x + size * 0.6, y, flag.label, size)


def draw_ends(scene: Scene, at: Layout) -> None:
    """The name and last value of each line, beside its end."""
    size, x = at.size(LABEL), at.frame.right + at.size(6)
    room = at.canvas.width - x - at.size(4)
    heights = spread(at.ends, at.y, at.frame, size * 1.25)
    for end, y in zip(at.ends, heights, strict=True):
        scene.write(x, y, typeset.fit(end.text, size, room), size, colour=end.colour)
