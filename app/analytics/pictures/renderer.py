"""Draws Vega-Lite in a process of its own: `python -I renderer.py`, requests in, pictures out.

vl-convert holds Python's global lock while it draws, so in the server's own process every picture
would stop all other requests (measured: 130 ms for one large chart); and the engine of JavaScript
that it carries needs a hundred megabytes that a server without pictures never pays.

A request is a line of JSON {"format": "svg" or "png", "scale": 2, "size": bytes} followed by a
Vega-Lite document of that size; the answer is a line of JSON {"ok": true, "size": bytes} and the
picture, or a message. The end of the input ends the process.
"""

import json
import sys
from typing import Any, BinaryIO

VERSION = "v6.4"


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


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer until the input ends."""
    while line := requests.readline():
        request = json.loads(line)
        is_drawn, content = answer(request, requests.read(request["size"]).decode())
        head = json.dumps({"ok": is_drawn, "size": len(content)}).encode()
        answers.write(head + b"\n" + content)
        answers.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
