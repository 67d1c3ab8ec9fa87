"""If-Match and If-None-Match, read as browsers, clients and proxies write them."""

import pytest

from app.kit.errors import PreconditionFailed, PreconditionRequired
from app.kit.preconditions import Precondition, etag, etag_of, matches, parse_tags


def test_the_tag_of_a_revision() -> None:
    assert etag(7) == '"7"'


@pytest.mark.parametrize(
    "header", ['"7"', 'W/"7"', '"7-gzip"', '"7;gzip"', '"1", "7"', 'W/"1",W/"7"', "*", " * "]
)
def test_what_matches(header: str) -> None:
    assert matches(header, etag(7))
    Precondition(if_match=header).check(7)


@pytest.mark.parametrize(
    "header", ["", "7", '"77"', '"8"', '"-7"', "'7'", '"7', '"8-7"', "latest", '"*"']
)
def test_what_does_not(header: str) -> None:
    assert not matches(header, etag(7))
    with pytest.raises(PreconditionFailed) as refused:
        Precondition(if_match=header).check(7)
    assert refused.value.headers == {"ETag": '"7"'}


def test_no_condition() -> None:
    assert not matches(None, etag(7))
    with pytest.raises(PreconditionRequired) as refused:
        Precondition().check(7)
    assert refused.value.headers == {"ETag": '"7"'}
    Precondition().check(7, required=False)
    Precondition().check(None)


def test_conditions_of_a_put() -> None:
    Precondition(if_none_match="*").check(None)
    with pytest.raises(PreconditionFailed):
        Precondition(if_none_match="*").check(7)
    with pytest.raises(PreconditionFailed):
        Precondition(if_match="*").check(None)
    with pytest.raises(PreconditionFailed):
        Precondition(if_match='"7"').check(None)


def test_the_tag_of_an_answer_is_good_for_a_write_and_changes_with_what_is_printed() -> None:
    tag = etag_of("7", b"{}")
    assert tag != etag_of("7", b"[]")
    Precondition(if_match=tag).check(7)
    Precondition(if_match=f'W/{tag[:-1]}-gzip"').check(7)
    with pytest.raises(PreconditionFailed):
        Precondition(if_match=tag).check(8)
    assert not matches(tag, etag_of("7", b"[]"))


def test_a_hostile_header_is_read_in_linear_time() -> None:
    assert parse_tags('"' * 100_000) == {""}
    assert parse_tags('W/"' * 50_000) <= {"W/", ""}
