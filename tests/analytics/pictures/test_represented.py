"""Charts over HTTP: representations by Accept and format, entity tags, refusals, sizes."""

import csv
import io
import json
import struct
from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import Session

from app.analytics.pictures import rendering
from app.measures.models import Measure
from tests.analytics.test_measure_spc import BASELINE, SHIFTED, fill
from tests.builders import make_measure
from tests.calling import Caller
from tests.world import World

VEGA_LITE = "application/vnd.vegalite.v6+json"
STARTS = {
    "application/json": b"{",
    "text/csv": b"x,value,numerator",
    VEGA_LITE: b'{"$schema":"https://vega.github.io/schema/vega-lite/v6.json"',
    "image/svg+xml": b"<svg ",
    "image/png": b"\x89PNG\r\n\x1a\n",
}
CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
FIREFOX = "text/html,application/xml;q=0.9,image/avif,image/png,image/svg+xml,*/*;q=0.8"
BODY = {
    "chart": "run",
    "title": "=Ready/../soon & „später“",
    "points": [{"x": f"2018-01-{day:02}", "value": day} for day in range(1, 13)],
}
MADE = {"json": "application/json", "csv": "text/csv", "vegalite": VEGA_LITE} | {
    "svg": "image/svg+xml",
    "png": "image/png",
}


@pytest.fixture
def path(session: Session, world: World) -> str:
    measure: Measure = make_measure(session, project=world.project, baseline_points=12)
    fill(session, measure, BASELINE + SHIFTED)
    return f"/measures/{measure.id}/spc"


@pytest.fixture
def caller(call: Callable[..., Caller], world: World) -> Caller:
    return call(world.member)


@pytest.mark.parametrize(
    ("accept", "form", "media_type"),
    [
        (None, None, "application/json"),
        ("*/*", None, "application/json"),
        ("application/json", None, "application/json"),
        ("application/*", None, "application/json"),
        (CHROME, None, "application/json"),
        (FIREFOX, None, "application/json"),
        ("text/csv", None, "text/csv"),
        ("text/*", None, "text/csv"),
        (VEGA_LITE, None, VEGA_LITE),
        ("image/svg+xml", None, "image/svg+xml"),
        ("image/png", None, "image/png"),
        ("image/avif,image/webp,image/*;q=0.8,*/*;q=0.5", None, "image/svg+xml"),
        ("image/svg+xml;q=0.5, image/png", None, "image/png"),
        ("application/json;q=0.1, text/csv;q=0.2", None, "text/csv"),
        ("image/png", "csv", "text/csv"),
        ("application/pdf", "svg", "image/svg+xml"),
        *((None, form, media_type) for form, media_type in MADE.items()),
    ],
)
def test_the_representation_is_negotiated(
    caller: Caller, path: str, accept: str | None, form: str | None, media_type: str
) -> None:
    headers = {"Accept": accept} if accept else {}
    params = {"format": form} if form else {}
    for response in (
        caller("GET", path, headers=headers, params=params),
        caller("POST", "/spc/charts", headers=headers, params=params, json=BODY),
    ):
        assert response.status_code == 200, response.text
        assert response.headers["content-type"].split(";")[0] == media_type
        assert response.content.startswith(STARTS[media_type])
        assert "Accept" in response.headers["vary"]


def test_what_cannot_be_given_is_refused(caller: Caller, path: str) -> None:
    for response in (
        caller("GET", path, headers={"Accept": "application/pdf"}),
        caller("POST", "/spc/charts", headers={"Accept": "image/gif, */*;q=0"}, json=BODY),
    ):
        assert response.status_code == 406
        problem = response.json()
        assert problem["code"] == "not_acceptable"
        assert problem["offers"] == list(MADE.values())


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("format", "pdf"),
        ("format", ""),
        ("size", "poster"),
        ("width", 119),
        ("width", 1601),
        ("height", 59),
        ("height", "tall"),
        ("scale", 0),
        ("scale", 3),
        ("scale", "nan"),
        ("colour", "red"),
    ],
)
def test_an_unknown_look_is_refused(
    caller: Caller, path: str, parameter: str, value: object
) -> None:
    for response in (
        caller.get(path, **{parameter: value}),
        caller("POST", "/spc/charts", params={parameter: value}, json=BODY),
    ):
        assert response.status_code == 422
        assert response.json()["errors"][0]["parameter"] == parameter


def test_each_representation_has_its_own_tag(
    caller: Caller, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[dict[str, Any]] = [{"format": form} for form in MADE]
    looks += [{"format": "svg", "size": size} for size in ("slide", "thumbnail")]
    looks += [{"format": "png", "scale": 2}, {"format": "svg", "width": 600}, {}]
    responses = [caller.get(path, **look) for look in looks]
    tags = [response.headers["ETag"] for response in responses]
    assert len(set(tags)) == len(looks)
    negotiated = caller("GET", path, headers={"Accept": "image/png"}).headers["ETag"]
    assert negotiated not in tags[:2]

    def refuse(*_: object) -> bytes:
        raise AssertionError

    monkeypatch.setattr(rendering.renderer, "draw", refuse)
    for look, tag in zip(looks, tags, strict=True):
        again = caller("GET", path, params=look, headers={"If-None-Match": tag})
        assert again.status_code == 304
        assert again.content == b""
        assert again.headers["ETag"] == tag
        assert "Accept" in again.headers["vary"]


def test_the_tag_follows_the_data(caller: Caller, path: str) -> None:
    before = caller.get(path, format="svg")
    point = {"period_start": "2018-07-02", "numerator": 40, "denominator": 50}
    assert caller.post(path.replace("/spc", "/data-points"), point).status_code == 201
    after = caller.get(path, format="svg")
    assert after.headers["ETag"] != before.headers["ETag"]
    assert after.content != before.content


def test_pictures_take_the_overrides_too(caller: Caller, path: str) -> None:
    made = caller.ok(path, format="vegalite", target=95, chart="run", phase_starts="2018-03-26")
    assert all(point["target"] == 95 for point in made["data"]["values"])
    assert {point["phase"] for point in made["data"]["values"]} == {0, 1}
    misfit = caller.get(path, format="svg", chart="c")
    assert misfit.status_code == 422


@pytest.mark.parametrize(
    ("form", "disposition"),
    [
        ("csv", 'attachment; filename="ready-soon-spater.csv"'),
        ("png", 'inline; filename="ready-soon-spater.png"'),
        ("svg", 'inline; filename="ready-soon-spater.svg"'),
        ("vegalite", 'inline; filename="ready-soon-spater.vl.json"'),
        ("json", None),
    ],
)
def test_files_have_safe_names(caller: Caller, form: str, disposition: str | None) -> None:
    response = caller("POST", "/spc/charts", params={"format": form}, json=BODY)
    assert response.headers.get("content-disposition") == disposition


@pytest.mark.parametrize("title", [None, "处方", "...", "\r\nX-Evil: 1"])
def test_a_title_without_plain_letters_has_a_name_too(caller: Caller, title: str | None) -> None:
    response = caller("POST", "/spc/charts?format=csv", json=BODY | {"title": title})
    assert response.status_code == 200
    assert response.headers["content-disposition"] in {
        'attachment; filename="chart.csv"',
        'attachment; filename="x-evil-1.csv"',
    }
    assert "x-evil" not in response.headers


def test_the_table_and_the_chart_hold_what_json_holds(caller: Caller, path: str) -> None:
    document = caller.ok(path)
    rows = list(csv.DictReader(io.StringIO(caller.get(path, format="csv").text, newline="")))
    chart = caller.ok(path, format="vegalite")
    for point, row, drawn in zip(document["points"], rows, chart["data"]["values"], strict=True):
        assert float(row["value"]) == point["value"] == drawn["value"]
        assert float(row["upper_limit"]) == point["upper_limit"] == drawn["upper_limit"]
    assert chart["usermeta"]["openqi"]["settings_hash"] == document["settings_hash"]


def test_sizes(caller: Caller, path: str) -> None:
    for query, size in (
        ({}, (800, 440)),
        ({"size": "slide", "scale": 1}, (1280, 720)),
        ({"size": "thumbnail", "scale": 2}, (480, 240)),
        ({"width": 1600, "height": 1200, "scale": 2}, (3200, 2400)),
    ):
        drawn = caller.get(path, format="png", **query).content
        assert struct.unpack(">II", drawn[16:24]) == size


def test_ten_thousand_points_have_a_picture(caller: Caller) -> None:
    points = [{"x": str(row), "value": row * 7 % 13} for row in range(10_000)]
    body = {"chart": "i", "points": points}
    response = caller("POST", "/spc/charts?format=svg", json=body)
    assert response.status_code == 200, response.text
    assert len(response.content) < 1_000_000


def test_a_busy_renderer_says_when_to_come_back(
    caller: Caller, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendering, "PATIENCE_SECONDS", 0.0)
    rendering._kept.cache_clear()
    with rendering.renderer._turn:
        response = caller.get(path, format="png")
        table = caller.get(path, format="csv")
    assert response.status_code == 503
    assert response.json()["code"] == "unavailable"
    assert int(response.headers["Retry-After"]) >= 1
    assert table.status_code == 200


def test_who_may_see_the_picture(call: Callable[..., Caller], world: World, path: str) -> None:
    assert call(world.stranger).get(path, format="svg").status_code == 404
    assert call(None).get(path, format="svg").status_code == 401
    assert call(None)("POST", "/spc/charts?format=svg", json=BODY).status_code == 401


def test_hostile_texts_arrive_as_text(caller: Caller) -> None:
    title = "</title><script>alert(1)</script>\x02"
    body = BODY | {"title": title, "unit": "<i>"}
    svg = caller("POST", "/spc/charts?format=svg", json=body).text
    assert "<script" not in svg
    assert "&lt;script&gt;" in svg
    assert "\x02" not in svg
    made = caller("POST", "/spc/charts?format=vegalite", json=body)
    assert json.loads(made.text)["usermeta"]["openqi"]["title"] == title.strip("\x02")
