"""The renderer: SVG and PNG of real charts, inert texts, turns, and what happens when it fails."""

import io
import json
import os
import struct
import sys
import threading
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from app.analytics.pictures import renderer as program
from app.analytics.pictures import rendering
from app.analytics.pictures.chart import chart
from app.analytics.pictures.rendering import NotDrawn, Renderer
from app.analytics.pictures.representations import represent
from app.analytics.pictures.rows import kinds
from app.analytics.pictures.schemas import PNG, SVG, PictureQuery
from app.analytics.pictures.style import CANVASES, KINDS, LIMIT, TARGET
from app.kit.errors import Unavailable
from tests.analytics.pictures.series import LEVEL, RISEN, document, note

NAMESPACE = "{http://www.w3.org/2000/svg}"
HOSTILE = "</text><script>alert(1)</script>]]>&lt; <b>"


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    made = Renderer()
    yield made
    made.close()


def picture(made: dict[str, Any], media_type: str = SVG, **query: Any) -> bytes:
    return represent(made, media_type, PictureQuery(**query)).content


def parsed(svg: bytes) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314


def fills(root: ET.Element) -> Counter[str]:
    return Counter(path.get("fill", "") for path in root.iter(f"{NAMESPACE}path"))


def risen(**settings: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "direction": "increase",
        "target": 50,
        "baseline_points": 12,
        "title": "Ready",
    }
    return document(LEVEL + RISEN, **given | settings)


def test_an_svg_has_a_mark_for_each_point_and_the_lines() -> None:
    made = risen(excluded=[3])
    root = parsed(picture(made))
    found, expected = fills(root), Counter(kinds(made))
    assert expected["improvement"] >= 8
    assert found[KINDS["improvement"].fill] == expected["improvement"] + 2  # heading and key
    assert found[KINDS["common_cause"].fill] == expected["common_cause"] + 1  # key
    strokes = Counter(path.get("stroke") for path in root.iter(f"{NAMESPACE}path"))
    assert strokes[LIMIT] >= 2
    dashed = [
        path
        for path in root.iter(f"{NAMESPACE}path")
        if path.get("stroke") == TARGET and path.get("stroke-dasharray")
    ]
    assert len(dashed) == 1


def test_an_svg_tells_its_content_to_a_screen_reader() -> None:
    root = parsed(picture(risen(title='Ready "now" <soon>')))
    assert root.get("role") == "img"
    assert "Special cause: improvement" in str(root.get("aria-label"))
    title, description = root.find(f"{NAMESPACE}title"), root.find(f"{NAMESPACE}desc")
    assert title is not None
    assert title.text == 'Ready "now" <soon>'
    assert description is not None
    assert description.text == root.get("aria-label")


def test_hostile_texts_are_drawn_and_not_run() -> None:
    made = document(
        LEVEL,
        x=[f"{HOSTILE}{row}" for row in range(12)],
        title=HOSTILE,
        unit=HOSTILE,
        notes={1: HOSTILE, 2: "\x01\x0b\ufffe"},
        annotations={4: note(HOSTILE)},
        phase_starts=[6],
        phase_labels=[HOSTILE, HOSTILE],
    )
    root = parsed(picture(made))  # well-formed in spite of all
    tags = {element.tag.removeprefix(NAMESPACE) for element in root.iter()}
    assert tags <= {"svg", "title", "desc", "rect", "g", "path", "line", "text", "tspan", "defs"}
    assert any((text.text or "").startswith("</text>") for text in root.iter(f"{NAMESPACE}text"))
    names = {name for element in root.iter() for name in element.attrib}
    assert not any(name.startswith("on") or "href" in name for name in names)


@pytest.mark.parametrize(
    ("query", "size"),
    [
        ({}, (800, 440)),
        ({"size": "slide"}, (1920, 1080)),
        ({"size": "slide", "scale": 1}, (1280, 720)),
        ({"size": "thumbnail"}, (240, 120)),
        ({"size": "thumbnail", "scale": 2}, (480, 240)),
        ({"width": 600, "height": 300}, (600, 300)),
        ({"width": 200}, (200, 440)),
    ],
)
def test_a_png_has_the_size_asked_for(query: dict[str, Any], size: tuple[int, int]) -> None:
    drawn = picture(risen(), PNG, **query)
    assert drawn.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", drawn[16:24]) == size


def test_the_same_document_has_the_same_bytes(renderer: Renderer) -> None:
    made = json.dumps(chart(risen(), CANVASES["page"])).encode()
    svg, png = renderer.draw(made, "svg"), renderer.draw(made, "png")
    renderer.draw(json.dumps(chart(document(LEVEL), CANVASES["slide"])).encode(), "svg")
    assert renderer.draw(made, "svg") == svg
    assert renderer.draw(made, "png") == png
    renderer.close()
    assert renderer.draw(made, "svg") == svg  # by a new process


class Counted(BaseHTTPRequestHandler):
    """Counts who asks."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        """Quietly."""


@pytest.fixture
def address() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Counted)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_nothing_is_fetched(renderer: Renderer, address: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("x\nSECRET\n")
    column = {"x": {"field": "x", "type": "nominal"}}
    for url in (f"{address}/x.csv", f"file://{secret}", str(secret)):
        asked = {"data": {"url": url, "format": {"type": "csv"}}, "mark": "point"}
        try:
            drawn = renderer.draw(json.dumps(asked | {"encoding": column}).encode(), "svg")
        except NotDrawn as refusal:
            assert "not allowed" in str(refusal)  # noqa: PT017
        else:
            assert b"SECRET" not in drawn
    image = {"mark": {"type": "image", "url": f"{address}/x.png"}, "data": {"values": [{}]}}
    for form in ("svg", "png"):
        with pytest.raises(NotDrawn):
            renderer.draw(json.dumps(image).encode(), form)
    assert Counted.asked == []


def test_a_document_that_cannot_be_drawn_is_a_fault_of_ours(renderer: Renderer) -> None:
    with pytest.raises(NotDrawn):
        renderer.draw(b'{"mark": 7}', "svg")
    assert renderer.draw(b'{"mark": "point", "data": {"values": []}}', "svg")  # it goes on


def test_a_renderer_that_dies_is_replaced(renderer: Renderer) -> None:
    made = b'{"mark": "point", "data": {"values": []}}'
    assert renderer.draw(made, "svg")
    process = renderer._process
    assert process is not None
    process.kill()
    process.wait()
    assert renderer.draw(made, "svg")
    assert renderer._process is not process


def test_a_picture_that_takes_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "LONGEST_SECONDS", 0.0)
    slow = Renderer()
    with pytest.raises(Unavailable):
        slow.draw(b'{"mark": "point", "data": {"values": []}}', "svg")
    slow.close()


def test_too_many_at_once_are_told_to_come_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "PATIENCE_SECONDS", 0.0)
    busy = Renderer()
    with busy._turn, pytest.raises(Unavailable):
        busy.draw(b"{}", "svg")
    for _ in range(rendering.MOST_WAITING):
        busy._places.acquire()
    with pytest.raises(Unavailable):
        busy.draw(b"{}", "svg")
    assert busy._process is None


def test_threads_get_their_own_pictures(renderer: Renderer) -> None:
    drawn: dict[int, bytes] = {}

    def draw(width: int) -> None:
        asked = {"mark": "point", "width": width, "data": {"values": []}, "padding": 0}
        drawn[width] = renderer.draw(json.dumps(asked).encode(), "svg")

    threads = [threading.Thread(target=draw, args=(100 + row,)) for row in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(f'width="{width}"'.encode() in svg for width, svg in drawn.items())
    assert len(drawn) == 4


def test_the_server_itself_does_not_load_the_engine() -> None:
    assert picture(risen())
    assert "vl_convert" not in sys.modules


def test_the_program_answers_request_by_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "draw", lambda document, **_: document.upper().encode())
    asked = b'{"format": "svg", "scale": 1, "size": 3}\nabc' * 2
    answers = io.BytesIO()
    program.serve(io.BytesIO(asked), answers)
    assert answers.getvalue() == b'{"ok": true, "size": 3}\nABC' * 2


def test_the_program_says_what_went_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(document: str, **_: Any) -> bytes:
        raise ValueError(document)

    monkeypatch.setattr(program, "draw", fail)
    assert program.answer({"format": "svg", "scale": 1}, "why") == (False, b"why")


@pytest.fixture
def fonts(tmp_path: Path) -> Path:
    """A directory of fonts with a copy of the bundled one."""
    names = (
        "copy/LiberationSans-Regular.ttf",
        "noto/NotoSans.ttf",
        "noto/arabic/Noto.otf",
        "x.txt",
    )
    for name in (*names, "mixed/LiberationSans-Bold.ttf", "mixed/Arial.TTF", "empty/readme"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "round").symlink_to(tmp_path)
    return tmp_path


def test_copies_of_the_bundled_font_are_left_out_and_nothing_else(fonts: Path) -> None:
    kept = [str(each.relative_to(fonts)) for each in program.others(fonts)]
    assert kept == ["mixed", "noto", "round"]


class Engine:
    """Keeps what the list of fonts says while the engine starts."""

    def __init__(self) -> None:
        self.listed: list[str] = []

    def svg_to_png(self, _: str) -> None:
        root = ET.parse(os.environ["FONTCONFIG_FILE"]).getroot()  # noqa: S314
        self.listed = [each.text or "" for each in root]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    made = Engine()
    monkeypatch.setitem(sys.modules, "vl_convert", made)
    monkeypatch.setenv("FONTCONFIG_FILE", "")
    monkeypatch.delenv("FONTCONFIG_FILE")
    return made


def test_the_engine_starts_with_the_other_fonts(fonts: Path, engine: Engine) -> None:
    (fonts / "round").unlink()
    program.load_fonts([fonts, fonts / "nowhere"])
    assert engine.listed == [str(fonts / "mixed"), str(fonts / "noto")]
    assert not Path(os.environ["FONTCONFIG_FILE"]).exists()


def test_without_other_fonts_the_list_is_not_empty(fonts: Path, engine: Engine) -> None:
    """For then the engine would look in the usual directories."""
    program.load_fonts([fonts / "copy"])
    (only,) = engine.listed
    assert not [file for file in Path(only).iterdir() if file.suffix == ".ttf"]


def test_a_stated_list_of_fonts_stands(
    fonts: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    program.load_fonts([fonts / "noto"])  # no copy: nothing to leave out
    assert "FONTCONFIG_FILE" not in os.environ
    monkeypatch.setenv("FONTCONFIG_FILE", "mine.conf")
    program.load_fonts([fonts])
    assert (os.environ["FONTCONFIG_FILE"], engine.listed) == ("mine.conf", [])


def test_ten_thousand_points_are_drawn() -> None:
    made = document([row * 7 % 13 for row in range(10_000)], x=[str(r) for r in range(10_000)])
    assert parsed(picture(made)).get("width") == "800"


def test_a_picture_asked_for_again_is_not_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    made = risen(title="Asked for again")
    first = picture(made)

    def refuse(*_: Any) -> bytes:
        raise AssertionError

    monkeypatch.setattr(rendering.renderer, "draw", refuse)
    assert picture(made) == first


def test_an_answer_that_is_none_ends_the_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What else it writes there would be taken for the answer to the next picture."""
    stray = tmp_path / "stray.py"
    stray.write_text("input(); print('a warning', flush=True); input()")
    made = Renderer()
    with monkeypatch.context() as patched:
        patched.setattr(rendering, "_PROGRAM", stray)
        with pytest.raises(Unavailable):
            made.draw(b"{}\n", "svg")
    assert made._process is None
