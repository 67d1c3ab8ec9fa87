"""Draws Vega-Lite in a process of its own: `python -I renderer.py`, requests in, pictures out.

vl-convert holds Python's global lock while it draws, so in the server's own process every picture
would stop all other requests (measured: 130 ms for one large chart); and the engine of JavaScript
that it carries needs a hundred megabytes that a server without pictures never pays.

A request is a line of JSON {"format": "svg" or "png", "scale": 2, "size": bytes} followed by a
Vega-Lite document of that size; the answer is a line of JSON {"ok": true, "size": bytes} and the
picture, or a message. The end of the input ends the process.
"""

import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, BinaryIO
from xml.sax.saxutils import escape

VERSION = "v6.4"
FONTS = tuple(map(Path, ("/usr/share/fonts", "/usr/local/share/fonts")))
_SUFFIXES = {".ttf", ".ttc", ".otf", ".otc"}
_BUNDLED = "Liberation"


def draw(document: str, *, form: str, scale: float) -> bytes:
    """The picture. Nothing may be fetched: no address is allowed for data."""
    import vl_convert

    svg: str = vl_convert.vegalite_to_svg(document, vl_version=VERSION, allowed_base_urls=[])
    if "<image" in svg:  # whose address svg_to_png would fetch, whatever is allowed (tried)
        raise ValueError("A chart has no images.")
    return svg.encode() if form == "svg" else vl_convert.svg_to_png(svg, scale=scale)


def answer(request: dict[str, Any], document: str) -> tuple[bool, bytes]:
    """Whether it could be drawn, and the picture or what went wrong."""
    try:
        return True, draw(document, form=request["format"], scale=request["scale"])
    except Exception as fault:
        return False, str(fault)[:2_000].encode()


def load_fonts(roots: Iterable[Path] = FONTS) -> None:
    """Load all fonts but the system's own copies of the bundled one.

    Copies would be taken before the bundled font, and be read from their files for every text:
    that makes a picture half as dear again. Other fonts below these roots stay, for they draw other
    scripts; who keeps some elsewhere states FONTCONFIG_FILE, and that is then what counts. Where no
    file can be written, pictures are right and slow.
    """
    roots = [root for root in roots if root.is_dir()]
    has_copy = any(True for root in roots for _ in root.rglob(f"{_BUNDLED}*"))
    if "FONTCONFIG_FILE" in os.environ or not has_copy:
        return
    with suppress(OSError), NamedTemporaryFile("w", suffix=".conf") as file:
        # An empty list would stand for the usual directories; this one holds no fonts.
        found = [each for root in roots for each in others(root)] or [Path(__file__).parent]
        listed = "".join(f"<dir>{escape(str(each))}</dir>" for each in found)
        file.write(f"<fontconfig>{listed}</fontconfig>")
        file.flush()
        os.environ["FONTCONFIG_FILE"] = file.name
        import vl_convert

        vl_convert.svg_to_png('<svg xmlns="http://www.w3.org/2000/svg"/>')  # reads the file


def others(directory: Path) -> Iterator[Path]:
    """The fewest directories that hold, with all below them, every font but the bundled one."""
    entries = sorted(directory.iterdir())
    fonts = [entry.name for entry in entries if entry.suffix.lower() in _SUFFIXES]
    if any(not name.startswith(_BUNDLED) for name in fonts):
        yield directory  # with a copy in it, if there is one: that cannot be left out alone
        return
    for entry in entries:
        if entry.is_symlink() and entry.is_dir():
            yield entry  # as it is: it may lead back to here
        elif entry.is_dir():
            yield from others(entry)


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer until the input ends."""
    while line := requests.readline():
        request = json.loads(line)
        is_drawn, content = answer(request, requests.read(request["size"]).decode())
        head = json.dumps({"ok": is_drawn, "size": len(content)}).encode()
        answers.write(head + b"\n" + content)
        answers.flush()


if __name__ == "__main__":
    load_fonts()
    serve(sys.stdin.buffer, sys.stdout.buffer)
