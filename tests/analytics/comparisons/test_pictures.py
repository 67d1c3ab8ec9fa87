"""EWMA, CUSUM, Pareto and funnel as tables and pictures, also of nasty data."""

import csv
import io
import json
import random
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from app.analytics.comparisons.drawing import draw_cusum, draw_ewma, draw_funnel, draw_pareto
from app.analytics.comparisons.plots.representations import represent
from app.analytics.comparisons.schemas import (
    CUSUM_EXAMPLE,
    EWMA_EXAMPLE,
    FUNNEL_EXAMPLE,
    PARETO_EXAMPLE,
    CusumRequest,
    EwmaRequest,
    FunnelRequest,
    ParetoRequest,
)
from app.analytics.pictures.schemas import PNG, SVG, VEGA_LITE, PictureQuery
from tests.builders import make_data_point, make_measure
from tests.calling import Caller
from tests.spc.montgomery import POINTS
from tests.spc.test_spc_funnel import HEART_SURGERY
from tests.world import World

BODIES = {
    "ewma": EWMA_EXAMPLE,
    "cusum": CUSUM_EXAMPLE,
    "pareto": PARETO_EXAMPLE,
    "funnel": FUNNEL_EXAMPLE,
}
TYPES = {"csv": "text/csv", "vegalite": VEGA_LITE, "svg": SVG, "png": PNG}


@pytest.fixture
def caller(call: Callable[..., Caller], world: World) -> Caller:
    return call(world.member)


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("form", TYPES)
def test_by_format_and_by_accept(caller: Caller, name: str, form: str) -> None:
    asked = caller("POST", f"/spc/{name}", json=BODIES[name], params={"format": form})
    accepted = caller("POST", f"/spc/{name}", json=BODIES[name], headers={"Accept": TYPES[form]})
    assert asked.status_code == 200, asked.text
    assert asked.headers["Content-Type"].startswith(TYPES[form])
    assert asked.content == accepted.content
    assert "filename=" in asked.headers["Content-Disposition"]


def test_what_nobody_offers(caller: Caller) -> None:
    answer = caller(
        "POST", "/spc/pareto", json=PARETO_EXAMPLE, headers={"Accept": "application/pdf"}
    )
    assert answer.status_code == 406
    assert SVG in answer.json()["offers"]


def test_stored_series_and_programmes_have_pictures_with_tags_of_their_own(
    session: Session, world: World, caller: Caller
) -> None:
    measure = make_measure(session, project=world.project, code="x", name="Stored")
    make_data_point(session, measure=measure)
    paths = (f"/measures/{measure.id}/spc/ewma", f"/measures/{measure.id}/spc/cusum")
    funnel = f"/programmes/{world.programme.id}/funnel?measure_code=x"
    for path in (*(f"{path}?" for path in paths), funnel):
        tags = set()
        for form in ("json", *TYPES):
            answer = caller("GET", f"{path}&format={form}")
            assert answer.status_code == 200, answer.text
            tags.add(answer.headers["ETag"])
        assert len(tags) == 5
        tag = caller("GET", f"{path}&format=svg").headers["ETag"]
        unchanged = caller("GET", f"{path}&format=svg", headers={"If-None-Match": tag})
        assert unchanged.status_code == 304
        assert caller("GET", f"{path}&format=gif").status_code == 422


def documents() -> dict[str, dict[str, Any]]:
    sent = [{"x": str(row), "value": value} for row, value in enumerate(POINTS, 1)]
    memory = {"points": sent, "centre": 10, "sigma": 1, "direction": "decrease"}
    units = [
        {"label": name, "numerator": sums[0], "denominator": sums[1]}
        for name, sums in HEART_SURGERY.items()
    ]
    funnel = {"kind": "proportion", "units": units, "direction": "decrease"}
    return {
        "ewma": draw_ewma(EwmaRequest.model_validate(memory | {"weight": 0.1, "limit_width": 2.7})),
        "cusum": draw_cusum(CusumRequest.model_validate(memory)),
        "pareto": draw_pareto(ParetoRequest.model_validate(PARETO_EXAMPLE)),
        "funnel": draw_funnel(FunnelRequest.model_validate(funnel)),
    }


def shown(document: dict[str, Any], media_type: str, **look: Any) -> bytes:
    return represent(document, media_type, PictureQuery(**look)).content


def layers(document: dict[str, Any]) -> dict[str, Any]:
    chart = json.loads(shown(document, VEGA_LITE))
    return {layer["name"]: layer for layer in chart["layer"]} | {"chart": chart}


def texts(document: dict[str, Any]) -> list[str]:
    """What is written on the picture."""
    found = re.findall(r"<text[^>]*>([^<]*)</text>", shown(document, SVG).decode())
    return [unescape(text) for text in found]


def test_only_outliers_are_labelled_on_a_funnel() -> None:
    written = texts(documents()["funnel"])
    named = [name for name in HEART_SURGERY if name in written]
    assert sorted(named) == ["Bristol", "Leeds", "Oxford"]
    drawn = layers(documents()["funnel"])
    assert {"limits_95", "limits_998", "centre", "units"} <= set(drawn)
    kinds = {row["label"]: row["kind"] for row in drawn["chart"]["data"]["values"]}
    assert (kinds["Bristol"], kinds["Leeds"], kinds["Guys"]) == (
        "worse_998",
        "better_95",
        "within",
    )


def test_limits_that_allow_for_dispersion_stand_beside_the_others() -> None:
    units = [
        {"label": str(row), "numerator": 5 * row + 20, "denominator": 100} for row in range(12)
    ]
    request = FunnelRequest.model_validate({"kind": "proportion", "units": units})
    drawn = layers(draw_funnel(request))
    assert "by_chance" in drawn
    highest = max(row["y"] for row in drawn["limits_998"]["data"]["values"])
    assert highest > max(row["y"] for row in drawn["by_chance"]["data"]["values"])


def test_both_sides_of_a_cusum_and_its_change() -> None:
    document = documents()["cusum"]
    drawn = layers(document)
    assert {row["y"] for row in drawn["limits"]["data"]["values"]} == {-5, 5}
    rows = drawn["chart"]["data"]["values"]
    assert min(row["y"] for row in rows) == pytest.approx(-1.77)
    assert max(row["y"] for row in rows) == pytest.approx(5.305, abs=0.01)
    assert [row["kind"] for row in rows].count("concern") == 8
    assert "change about 23" in texts(document)
    assert any("from 10 to about 11" in text for text in texts(document))


def test_a_cusum_out_on_both_sides_tells_of_the_later_change_first() -> None:
    values = [10.0, 10, 10, 10, 30, 30, 30, 30, 5, 5, 5, 5, 5]
    points = [{"x": f"2018-01-{day:02d}", "value": value} for day, value in enumerate(values, 1)]
    body = {"points": points, "centre": 10, "sigma": 2, "direction": "decrease"}
    words = " ".join(texts(draw_cusum(CusumRequest.model_validate(body))))
    assert "Signal (improvement): the sum is beyond h since" in words
    assert "An older one (concern, since 5 Jan 2018) lasts." in words


def test_an_ewma_shows_average_limits_and_values() -> None:
    drawn = layers(documents()["ewma"])
    assert {"values", "limits", "centre", "statistic", "points"} <= set(drawn)
    rows = drawn["chart"]["data"]["values"]
    assert [row["kind"] for row in rows][-3:] == ["common_cause", "concern", "concern"]
    assert any(text.startswith("Upper limit 10.6") for text in texts(documents()["ewma"]))


def test_a_pareto_shows_bars_and_what_they_reach() -> None:
    document = documents()["pareto"]
    rows = layers(document)["chart"]["data"]["values"]
    assert [row["kind"] for row in rows] == ["vital", "vital", "useful", "useful", "other"]
    assert rows[-1]["reached"] == pytest.approx(document["total"])
    assert "80\u00a0%" in texts(document)


@pytest.mark.parametrize("name", BODIES)
def test_tables(name: str) -> None:
    document = documents()[name]
    rows = list(csv.DictReader(io.StringIO(shown(document, "text/csv").decode())))
    kept = next(document[key] for key in ("points", "categories", "units") if key in document)
    assert len(rows) == len(kept)
    assert all(None not in row and None not in row.values() for row in rows)
    if name == "funnel":
        assert float(rows[0]["upper_998"]) == kept[0]["limits"]["upper_998"]
        assert float(rows[0]["adjusted_lower_95"]) == kept[0]["adjusted_limits"]["lower_95"]


def test_a_table_holds_no_formula() -> None:
    categories = [{"label": "=HYPERLINK(1)", "value": 1}, {"label": "@b", "value": 2}]
    document = draw_pareto(ParetoRequest.model_validate({"categories": categories}))
    assert b"'=HYPERLINK" in shown(document, "text/csv")


HOSTILE = "<script>alert(1)</script> & \u202e \x07 " + "very long " * 30


def test_hostile_texts_are_only_texts() -> None:
    title = {"title": HOSTILE[:500]}
    drawn = (
        draw_ewma(EwmaRequest.model_validate(EWMA_EXAMPLE | title)),
        draw_cusum(CusumRequest.model_validate(CUSUM_EXAMPLE | title)),
        draw_pareto(ParetoRequest.model_validate(PARETO_EXAMPLE | title)),
        draw_funnel(FunnelRequest.model_validate(FUNNEL_EXAMPLE | title)),
    )
    for document in drawn:
        svg = shown(document, SVG)
        assert b"<script" not in svg
        assert b"&lt;script&gt;" in svg
        assert b"\x07" not in svg


def _empty() -> list[dict[str, Any]]:
    flat = {"points": [{"x": str(row), "value": 4} for row in range(5)]}
    gap: dict[str, Any] = {"points": [{"x": "1"}]}
    zero = {"kind": "proportion", "units": [{"label": "a", "numerator": 0, "denominator": 9}]}
    none = {"kind": "rate", "units": [{"label": "a", "numerator": 0, "denominator": 0}]}
    other = {"categories": [{"label": "a", "value": 1, "is_other": True}]}
    return [
        *(draw_ewma(EwmaRequest.model_validate(body)) for body in (flat, gap)),
        *(draw_cusum(CusumRequest.model_validate(body)) for body in (flat, gap)),
        *(draw_funnel(FunnelRequest.model_validate(body)) for body in (zero, none)),
        draw_pareto(ParetoRequest.model_validate(other)),
    ]


def test_nothing_to_draw_is_drawn_as_such() -> None:
    written = [texts(document) for document in _empty()]
    assert "No data to draw" in written[1]
    assert "No sums without a spread" in written[2]
    assert "No unit has a value" in written[5]
    assert "No category but the others." in written[6]


@pytest.mark.parametrize("look", [{"size": "slide"}, {"size": "thumbnail"}, {"width": 120}])
def test_every_size(look: dict[str, Any]) -> None:
    for document in [*documents().values(), *_empty()]:
        chart = json.loads(shown(document, VEGA_LITE, **look))
        assert chart["width"] > 0
        assert chart["height"] > 0
        has_texts = any(layer["name"] == "texts" for layer in chart["layer"])
        assert has_texts == (look == {"size": "slide"})


@given(
    st.lists(st.none() | st.floats(-1e15, 1e15), min_size=1, max_size=20),
    st.sampled_from([(EwmaRequest, draw_ewma), (CusumRequest, draw_cusum)]),
)
@example([2.2e-313], (EwmaRequest, draw_ewma))
@settings(max_examples=40)
def test_any_series_makes_a_chart_that_is_json(values: list[float | None], kind: Any) -> None:
    model, draw = kind
    points = [{"x": str(row), "value": value} for row, value in enumerate(values)]
    document = draw(model.model_validate({"points": points}))
    text = shown(document, VEGA_LITE)
    assert b"NaN" not in text
    assert b"Infinity" not in text


def test_labels_of_a_funnel_do_not_lie_on_each_other() -> None:
    chance = random.Random(7)
    units = [
        {"label": f"Practice {row}", "numerator": chance.randint(0, 90), "denominator": 90}
        for row in range(60)
    ]
    request = FunnelRequest.model_validate(
        {"kind": "proportion", "units": units, "over_dispersion": "ignore"}
    )
    drawn = layers(draw_funnel(request))["texts"]["data"]["values"]
    labels = [text for text in drawn if text["text"].startswith("Practice")]
    assert 0 < len(labels) <= 12
    for one in labels:
        others = [other for other in labels if other is not one]
        near = [o for o in others if abs(o["y"] - one["y"]) < 9 and abs(o["x"] - one["x"]) < 30]
        assert near == []
