"""Text that is measured, shortened, wrapped and made drawable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.analytics.pictures.typeset import clean, fit, width, wrap


def test_widths_are_those_of_the_bundled_font() -> None:
    assert width("Mean 65.3", 1000) == 833 + 556 + 556 + 556 + 278 + 556 + 556 + 278 + 556
    assert width("处方", 10) == 21
    assert width("e\u0301", 1000) == width("e", 1000)


@given(st.text(max_size=80), st.floats(min_value=0, max_value=400))
def test_what_is_fitted_fits(text: str, room: float) -> None:
    shown = fit(text, 11, room)
    assert width(shown, 11) <= room or shown == ""
    assert shown == text or shown == "" or shown.endswith("…")


@given(st.text(max_size=200), st.integers(1, 3))
def test_what_is_wrapped_keeps_its_order(text: str, lines: int) -> None:
    wrapped = wrap(text, 11, 120, lines=lines)
    assert len(wrapped) <= lines
    assert all(width(line, 11) <= 120 for line in wrapped)
    kept = "".join("".join(wrapped).split()).removesuffix("…")
    assert "".join(text.split()).startswith(kept.rstrip("…")) or kept == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x00\x01b", "a b"),
        ("two\nlines", "two lines"),
        ("turned \u202e about", "turned   about"),
        ("\ufffe", ""),
        ("نسبة", "نسبة"),
    ],
)
def test_what_no_picture_can_show_is_left_out(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_an_emoji_is_not_torn() -> None:
    nurse = "👩\u200d⚕\ufe0f"
    for room in range(10, 60, 3):
        assert not fit(f"Nurse {nurse}{nurse}", 10, room).removesuffix("…").endswith("\u200d")
