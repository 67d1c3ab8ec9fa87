"""Requests that no honest client sends, one a line, each with the answers that are right.

`{organisation}` and the like stand for a resource that exists, `<organisation>` for the same inside
a body. Two statuses stand where the parser of the server, which differs by platform, may refuse
before the application sees the request; then there is no problem code.
"""

from tests.contract.hostile_batches import BATCHES
from tests.contract.hostile_platforms import PLATFORMS
from tests.contract.hostile_rows import BAD, INVALID
from tests.contract.hostile_rows import get as _get
from tests.contract.hostile_rows import row as _row
from tests.contract.wire import ABSENT, Hostile

LIST = "/api/v1/organisations"
ONE = "/api/v1/organisations/{organisation}"
PROGRAMMES = "/api/v1/programmes"
POINTS = "/api/v1/measures/{measure}/data-points"
FEASIBILITY = "/api/v1/measures/{measure}/feasibility"
PLAN = "/api/v1/spc/feasibility"
TOKEN = "/api/v1/auth/token"
PLAIN = b'{"name": "Elm", "kind": "gp_practice"}'
ANY = ("If-Match", "*")
JSON = "application/json"
FORM = ("Content-Type", "application/x-www-form-urlencoded")


def _post(
    label: str,
    status: int | tuple[int, ...],
    code: str | None,
    body: bytes,
    *headers: tuple[str, str],
) -> Hostile:
    return _row(label, status, code, "POST", LIST, body, *headers)


def _name(text: bytes) -> bytes:
    return b'{"kind": "gp_practice", "name": "' + text + b'"}'


def _point(text: bytes) -> bytes:
    return b'{"period_start": "2018-01-01", "numerator": ' + text + b', "denominator": 20}'


def _plan(more: bytes) -> bytes:
    return (
        b'{"starts_on": "2026-01-01", "ends_on": "2026-09-30", "frequency": "weekly", '
        b'"data_type": "rate", ' + more + b"}"
    )


TEXT = [
    _post("NUL in a name", 422, INVALID, _name(rb"a\u0000b")),
    _post("NUL byte in the body", 400, BAD, _name(b"a\x00b")),
    _post("lone high surrogate", 422, INVALID, _name(rb"\ud800")),
    _post("lone low surrogate", 422, INVALID, _name(rb"a\udfffb")),
    _post("surrogates the wrong way round", 422, INVALID, _name(rb"\udc00\ud800")),
    _post("a pair of surrogates is a character", 201, None, _name(rb"\ud83d\ude00")),
    _post("bytes that are no UTF-8", 400, BAD, _name(b"\xff\xfe")),
    _post("UTF-16 is found out", 201, None, PLAIN.decode().encode("utf-16")),
    _post("a byte order mark is skipped", 201, None, b"\xef\xbb\xbf" + PLAIN),
    _post("only spaces", 422, INVALID, _name(b"   ")),
    _post("a name of 100,000 letters", 422, INVALID, _name(b"x" * 100_000)),
    _post("SQL in a name is a name", 201, None, _name(b"'); DROP TABLE organisation; --")),
    _post("markup in a name is a name", 201, None, _name(b"<script>alert(1)</script>")),
    _post("right-to-left override", 201, None, _name(rb"\u202egnp.exe")),
]
NUMBERS = [
    _row("int above int4", 422, INVALID, "PATCH", "/api/v1/programmes/{programme}",
         b'{"capacity": 2147483648}', ANY),
    _row("int above int8", 422, INVALID, "PATCH", "/api/v1/programmes/{programme}",
         b'{"capacity": 9223372036854775808}', ANY),
    _row("int of 5,000 digits", (400, 422), None, "PATCH", "/api/v1/programmes/{programme}",
         b'{"capacity": ' + b"9" * 5_000 + b"}", ANY),
    _row("a float for an int", 422, INVALID, "PATCH", "/api/v1/programmes/{programme}",
         b'{"capacity": 1e3}', ANY),
    _row("a text for an int", 422, INVALID, "PATCH", "/api/v1/programmes/{programme}",
         b'{"capacity": "16"}', ANY),
    _row("true for an int", 422, INVALID, "PATCH", "/api/v1/programmes/{programme}",
         b'{"capacity": true}', ANY),
    _row("NaN", (400, 422), None, "POST", POINTS, _point(b"NaN")),
    _row("Infinity", (400, 422), None, "POST", POINTS, _point(b"-Infinity")),
    _row("1e999", 422, INVALID, "POST", POINTS, _point(b"1e999")),
    _row("1e400 denominator", 422, INVALID, "POST", POINTS, _point(b"1e400")),
    _row("a text for a number", 422, INVALID, "POST", POINTS, _point(b'"8"')),
    _row("a list for a number", 422, INVALID, "POST", POINTS, _point(b"[8]")),
    _row("more cases than asked", 422, None, "POST", POINTS, _point(b"21")),
    _row("below zero", 422, None, "POST", POINTS, _point(b"-1")),
]  # fmt: skip
BODIES = [
    _post("10,000 levels of arrays", (400, 422), None, b"[" * 10_000 + b"]" * 10_000),
    _post("10,000 levels of objects", (400, 422), None,
          b'{"name":' * 10_000 + b"1" + b"}" * 10_000),
    _post("100,000 levels, never closed", 400, BAD, b"[" * 100_000),
    _post("2 MB", 413, "body_too_large", _name(b"x" * 2_000_000)),
    _post("2 MB said, nothing sent", 413, "body_too_large", b"", ("Content-Length", "2000000")),
    _post("empty body", 422, INVALID, b""),
    _post("spaces only", 400, BAD, b"   "),
    _post("broken JSON", 400, BAD, b'{"name": "Elm",'),
    _post("single quotes", 400, BAD, b"{'name': 'Elm'}"),
    _post("two documents", 400, BAD, PLAIN + PLAIN),
    _post("an array", 422, INVALID, b"[" + PLAIN + b"]"),
    _post("null", 422, INVALID, b"null"),
    _post("a text", 422, INVALID, b'"Elm"'),
    _post("a number", 422, INVALID, b"7"),
    _post("unknown field", 422, INVALID, PLAIN[:-1] + b', "is_admin": true}'),
    _post("a field of the server", 422, INVALID, PLAIN[:-1] + b', "revision": 7}'),
    _post("an identifier of one's own", 422, INVALID, PLAIN[:-1] + b', "id": "<organisation>"}'),
    _post("prototype pollution", 422, INVALID, PLAIN[:-1] + b', "__proto__": {"a": 1}}'),
    _post("a reference to nothing", 422, "reference_not_found",
          PLAIN[:-1] + b', "successor_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e"}'),
    _post("a reference that is no identifier", 422, INVALID,
          PLAIN[:-1] + b', "successor_id": "../../etc/passwd"}'),
    _post("60,000 unknown fields", 422, INVALID,
          b"{" + b",".join(b'"f%d":1' % number for number in range(60_000)) + b"}"),
    _row("a successor of itself", 422, None, "PATCH", ONE,
         b'{"successor_id": "<organisation>"}', ANY),
    _row("null where nothing may be null", 422, INVALID, "PATCH", ONE,
         b'{"name": null}', ANY),
    _row("a merge patch that is a list", 422, INVALID, "PATCH", ONE, b"[]", ANY),
]  # fmt: skip
MEDIA = [
    _post("no content type", 415, "unsupported_media_type", PLAIN, ("Content-Type", ABSENT)),
    _post("text/plain", 415, "unsupported_media_type", PLAIN, ("Content-Type", "text/plain")),
    _post("XML", 415, "unsupported_media_type", b"<a/>", ("Content-Type", "application/xml")),
    _post("form to a JSON route", 415, "unsupported_media_type", b"name=Elm", FORM),
    _post("a content type of junk", 415, "unsupported_media_type", PLAIN, ("Content-Type", ";;=,")),
    _post("merge patch to a POST", 415, "unsupported_media_type", PLAIN,
          ("Content-Type", "application/merge-patch+json")),
    _post("JSON with a charset", 201, None, PLAIN, ("Content-Type", "application/json; charset=x")),
    _post("gzip that is none", 415, "unsupported_media_type", PLAIN, ("Content-Encoding", "gzip")),
    _row("JSON to the form", 415, "unsupported_media_type", "POST", TOKEN, b"{}"),
    _row("an empty form", 422, INVALID, "POST", TOKEN, b"", FORM),
    _row("a form of 2,000 fields", (400, 422), None, "POST", TOKEN,
         b"&".join(b"a%d=1" % number for number in range(2_000)), FORM),
    _row("a login with NUL", (400, 422), None, "POST", TOKEN,
         b"username=a%00b&password=hunter2", FORM),
    _row("a login with surrogates", (400, 422), None, "POST", TOKEN,
         b"username=%ED%A0%80&password=%ED%A0%80", FORM),
    _row("a login with a key", (400, 422), None, "POST", TOKEN,
         b"username=a&password=hunter2", FORM, ("Idempotency-Key", "k")),
    _get("Accept that nobody can serve", 200, None, LIST, ("Accept", "image/x-nothing")),
    _get("Accept of junk", 200, None, LIST, ("Accept", ";q=x,,,/*")),
    _get("points as a picture", 406, "not_acceptable", POINTS, ("Accept", "image/png")),
]  # fmt: skip
QUERIES = [
    _get("limit 0", 422, INVALID, f"{LIST}?limit=0"),
    _get("limit -1", 422, INVALID, f"{LIST}?limit=-1"),
    _get("limit above the most is clamped", 200, None, f"{LIST}?limit=100000"),
    _get("limit above int8", 422, INVALID, f"{LIST}?limit=9223372036854775808"),
    _get("limit twice", 200, None, f"{LIST}?limit=1&limit=2"),
    _get("limit of words", 422, INVALID, f"{LIST}?limit=ten"),
    _get("sort by a column that is no sort", 422, INVALID, f"{LIST}?sort=ods_code"),
    _get("sort by nothing", 422, INVALID, f"{LIST}?sort="),
    _get("sort of SQL", 422, INVALID, f"{LIST}?sort=name;select%201"),
    _get("five sorts", 422, INVALID, f"{LIST}?sort=name,-name,name,-name,created_at"),
    _get("% matches itself only", 200, None, f"{LIST}?q=%25"),
    _get("_ matches itself only", 200, None, f"{LIST}?q=_"),
    _get("a backslash", 200, None, f"{LIST}?q=%5C"),
    _get("SQL in q", 200, None, f"{LIST}?q='%20OR%201=1%20--"),
    _get("NUL in q", 422, INVALID, f"{LIST}?q=a%00b"),
    _get("surrogate in q", 200, None, f"{LIST}?q=%ED%A0%80"),
    _get("an empty q", 422, INVALID, f"{LIST}?q="),
    _get("a q of 300", 422, INVALID, f"{LIST}?q={'x' * 300}"),
    _get("unknown parameter", 422, "unknown_parameter", f"{LIST}?nam=Elm"),
    _get("a parameter of 5,000 letters", 422, "unknown_parameter", f"{LIST}?{'x' * 5000}=1"),
    _get("archived of another word", 422, INVALID, f"{LIST}?archived=maybe"),
    _get("a naive instant", 422, INVALID, f"{LIST}?updated_since=2018-01-01T00:00:00"),
    _get("an instant before the first", 422, INVALID,
         f"{LIST}?updated_since=0001-01-01T00:00:00%2B23:59"),
    _get("an instant after the last", 422, INVALID,
         f"{LIST}?updated_since=9999-12-31T23:59:59-23:59"),
    _get("an instant in year 10000", 422, INVALID, f"{LIST}?updated_since=10000-01-01T00:00:00Z"),
    _get("1,000 kinds", 422, INVALID, f"{LIST}?{'&'.join(['area=x'] * 1000)}"),
]  # fmt: skip
CURSORS = [
    _get("a cursor of words", 400, "invalid_cursor", f"{LIST}?cursor=next"),
    _get("an empty cursor", 400, "invalid_cursor", f"{LIST}?cursor="),
    _get("a cursor of 2,000", 400, "invalid_cursor", f"{LIST}?cursor={'A' * 2000}"),
    _get("a cursor of 3,000", 422, INVALID, f"{LIST}?cursor={'A' * 3000}"),
    _get("a cursor of another alphabet", 400, "invalid_cursor", f"{LIST}?cursor=%C3%A9"),
    _get("a cursor with a bit turned", 400, "invalid_cursor", f"{LIST}?limit=1&cursor={{turned}}"),
    _get("a cursor cut short", 400, "invalid_cursor", f"{LIST}?limit=1&cursor={{short}}"),
    _get("a cursor of another sort", 400, "invalid_cursor",
         f"{LIST}?limit=1&sort=-name&cursor={{cursor}}"),
    _get("a cursor of another filter", 400, "invalid_cursor",
         f"{LIST}?limit=1&kind=gp_practice&cursor={{cursor}}"),
    _get("a cursor of another list", 400, "invalid_cursor",
         f"{PROGRAMMES}?limit=1&cursor={{cursor}}"),
    _get("a cursor of another person", 400, "invalid_cursor",
         f"{LIST}?limit=1&cursor={{foreign}}"),
]  # fmt: skip
DATES = [
    _row("year 0", 422, INVALID, "POST", POINTS, b'{"period_start": "0000-01-01", "value": 1}'),
    _row("year 10000", 422, INVALID, "POST", POINTS,
         b'{"period_start": "10000-01-01", "value": 1}'),
    _row("30 February", 422, INVALID, "POST", POINTS,
         b'{"period_start": "2018-02-30", "value": 1}'),
    _row("a day as a number", 422, INVALID, "POST", POINTS, b'{"period_start": 17532, "value": 1}'),
    _row("a day as digits", 422, INVALID, "POST", POINTS, b'{"period_start": "17532", "value": 1}'),
    _row("a day with a time", 422, INVALID, "POST", POINTS,
         b'{"period_start": "2018-01-01T10:00:00Z", "value": 1}'),
    _row("a naive time", 422, INVALID, "PATCH", "/api/v1/sessions/{session}",
         b'{"starts_at": "2018-01-01T10:00:00"}', ANY),
    _row("a time out of range", 422, INVALID, "PATCH", "/api/v1/sessions/{session}",
         b'{"starts_at": "9999-12-31T23:59:59-12:00"}', ANY),
    _row("a time as a number", 422, INVALID, "PATCH", "/api/v1/sessions/{session}",
         b'{"starts_at": 1514764800}', ANY),
    _row("a zone that does not exist", 422, INVALID, "PATCH", "/api/v1/programmes/{programme}",
         b'{"timezone": "../../etc/passwd"}', ANY),
]  # fmt: skip
PLANS = [
    _row("a plan", 200, None, "POST", PLAN, _plan(b'"level": 5')),
    _row("a plan of NaN", (400, 422), None, "POST", PLAN, _plan(b'"level": NaN')),
    _row("a plan of 1e999", 422, INVALID, "POST", PLAN, _plan(b'"cases_per_week": 1e999')),
    _row("a text for a spread", 422, INVALID, "POST", PLAN, _plan(b'"spread": "3"')),
    _row("a plan below zero", 422, "infeasible_plan", "POST", PLAN, _plan(b'"level": -1')),
    _row("a first change in year 10000", 422, INVALID, "POST", PLAN,
         _plan(b'"first_change_on": "10000-01-01"')),
    _row("a first change on the last day of all", 422, INVALID, "POST", PLAN,
         _plan(b'"first_change_on": "9999-12-31"')),
    _row("a unit with NUL", 422, INVALID, "POST", PLAN, _plan(rb'"unit": "a\u0000b"')),
    _row("a chart of no kind", 422, "infeasible_plan", "POST", PLAN, _plan(b'"chart": "pie"')),
    _get("a plan from year 0", 422, INVALID, f"{FEASIBILITY}?starts_on=0000-01-01"),
    _get("a plan from the first day of all", 422, INVALID, f"{FEASIBILITY}?starts_on=0001-01-01"),
    _get("a level of NaN", 422, INVALID, f"{FEASIBILITY}?level=nan"),
    _get("cases above all doubles", 422, INVALID, f"{FEASIBILITY}?cases_per_week=1e400"),
    _get("a frequency with NUL", 422, INVALID, f"{FEASIBILITY}?frequency=a%00b"),
    _get("a chart with NUL", 422, None, f"{FEASIBILITY}?frequency=weekly&chart=a%00b"),
    _get("parameters for chart advice", 422, "unknown_parameter",
         "/api/v1/measures/{measure}/chart-advice?limit=1"),
]  # fmt: skip
CONDITIONS = [
    _row("no If-Match", 428, "precondition_required", "PATCH", ONE, b"{}"),
    _row("If-Match of words", 412, "revision_mismatch", "PATCH", ONE, b"{}",
         ("If-Match", "latest")),
    _row("an empty If-Match", 412, "revision_mismatch", "PATCH", ONE, b"{}",
         ("If-Match", "")),
    _row("a stale weak If-Match", 412, "revision_mismatch", "PATCH", ONE, b"{}",
         ("If-Match", 'W/"99"')),
    _row("a weak If-Match", 200, None, "PATCH", ONE, b"{}", ("If-Match", 'W/"1"')),
    _row("an If-Match that a proxy made longer", 200, None, "PATCH", ONE, b"{}",
         ("If-Match", '"1-gzip"')),
    _row("a list of If-Match", 200, None, "PATCH", ONE, b"{}",
         ("If-Match", '"7", W/"1;gzip", "x"')),
    _row("an If-Match of 5,000", 422, INVALID, "PATCH", ONE, b"{}",
         ("If-Match", '"' + "1" * 5_000 + '"')),
    _row("an If-Match below zero", 412, "revision_mismatch", "PATCH", ONE, b"{}",
         ("If-Match", '"-1"')),
    _get("If-None-Match of junk", 200, None, ONE, ("If-None-Match", "a,b;;c")),
    _get("If-None-Match *", 304, None, ONE, ("If-None-Match", "*")),
    _get("If-None-Match of 10,000 tags", 200, None, ONE,
         ("If-None-Match", ", ".join(['"x"'] * 10_000))),
    _get("Range is not read", 200, None, ONE, ("Range", "bytes=0-10,20-")),
]  # fmt: skip
KEYS = [
    _post("a key of 300", 400, "idempotency_key_refused", PLAIN, ("Idempotency-Key", "k" * 300)),
    _post("an empty key", 400, "idempotency_key_refused", PLAIN, ("Idempotency-Key", "")),
    _post("a key of quotes", 400, "idempotency_key_refused", PLAIN, ("Idempotency-Key", '""')),
    _post("a key with a tab", 400, "idempotency_key_refused", PLAIN, ("Idempotency-Key", "a\tb")),
    _post("a key of other letters", 201, None, PLAIN, ("Idempotency-Key", "\xe9\xe8")),
    _post("a quoted key", 201, None, PLAIN, ("Idempotency-Key", '"quoted"')),
    _post("the same key bare, another body", 422, "idempotency_key_reused", PLAIN + b" ",
          ("Idempotency-Key", '"fixed"')),
]  # fmt: skip
ADDRESSES = [
    _get("an identifier of words", 422, INVALID, f"{LIST}/elm"),
    _get("an identifier of SQL", 422, INVALID, f"{LIST}/1'%20OR%20'1'='1"),
    _get("an identifier with NUL", 422, INVALID, f"{LIST}/%00"),
    _get("an identifier of nothing", 404, "not_found",
         f"{LIST}/00000000-0000-0000-0000-000000000000"),
    _get("an identifier in braces", 200, None, f"{LIST}/%7B{{organisation}}%7D"),
    _get("a trailing slash", 404, "not_found", f"{LIST}/"),
    _get("two slashes", 404, "not_found", "//api/v1//organisations"),
    _get("up and up", 404, "not_found", "/api/v1/../../etc/passwd"),
    _get("up and up, encoded", 404, "not_found", "/docs/%2e%2e/%2e%2e/etc/passwd"),
    _get("an absolute address", (200, 404), None, "http://evil.example/api/v1/meta"),
    _get("a path of 60,000", 404, "not_found", "/api/v1/" + "x" * 60_000),
    _get("an asterisk", (400, 404), None, "*"),
    _get("an address that is no UTF-8", 404, "not_found", "/api/v1/%ff%fe"),
    _get("another version", 404, "not_found", "/api/v2/organisations"),
    _get("capital letters", 404, "not_found", "/API/V1/LIST"),
    _row("TRACE", 405, "method_not_allowed", "TRACE", LIST),
    _row("PROPFIND", 405, "method_not_allowed", "PROPFIND", LIST),
    _row("a method of no standard", (400, 405), None, "FROB", LIST),
    _row("CONNECT", (400, 404, 405), None, "CONNECT", "db.example:5432"),
    _row("another method in a header", 405, "method_not_allowed", "POST", ONE, b"{}",
         ("X-HTTP-Method-Override", "DELETE")),
]  # fmt: skip
CALLERS = [
    _get("Authorization of junk", 401, "unauthenticated", LIST, ("Authorization", "junk")),
    _get("Basic", 401, "unauthenticated", LIST, ("Authorization", "Basic YWRhOmh1bnRlcjI=")),
    _get("Bearer of nothing", 401, None, LIST, ("Authorization", "Bearer ")),
    _get("Bearer of dots", 401, "invalid_token", LIST, ("Authorization", "Bearer ...")),
    _get("Bearer of 10 KB", 401, "invalid_token", LIST,
         ("Authorization", "Bearer " + "e" * 10_000)),
    _get("Bearer of other letters", 401, "invalid_token", LIST,
         ("Authorization", "Bearer \xe9\xe8")),
    _get("algorithm none", 401, "invalid_token", LIST,
         ("Authorization", "Bearer eyJhbGciOiJub25lIn0.e30.")),
    _get("a personal token with a typing error", 401, "invalid_token", LIST,
         ("Authorization", "Bearer qipat_" + "0" * 49)),
    _get("Authorization twice, junk first", 401, None, LIST,
         ("Authorization", "Bearer junk"), ("Authorization", "Bearer {token}")),
    _get("a token in the address", 422, "unknown_parameter", f"{LIST}?access_token={{token}}"),
    _get("the user's address in a header", 401, "unauthenticated", LIST,
         ("Authorization", ABSENT), ("X-Forwarded-User", "admin"), ("X-Forwarded-For", "::1")),
    _get("a hostile request id", 200, None, ONE, ("X-Request-ID", "\xe9" * 200)),
    _get("3,000 headers", 200, None, ONE, *((f"X-{n}", "x") for n in range(3_000))),
    _get("another host", 200, None, ONE, ("Host", "evil.example")),
    _get("no host", (200, 400), None, ONE, ("Host", ABSENT)),
]  # fmt: skip
FRAMING = [
    _post("a length of words", 400, None, PLAIN, ("Content-Length", "many")),
    _post("a length below zero", 400, None, PLAIN, ("Content-Length", "-1")),
    _post("two lengths", 400, None, PLAIN, ("Content-Length", "1"), ("Content-Length", "38")),
    _post("length and chunks", 400, None, b"0\r\n\r\n", ("Content-Length", "5"),
          ("Transfer-Encoding", "chunked")),
    _post("chunks", 201, None, b"%x\r\n%s\r\n0\r\n\r\n" % (len(PLAIN), PLAIN),
          ("Transfer-Encoding", "chunked")),
    _post("chunks of 2 MB", 413, "body_too_large",
          b"1e8480\r\n" + b"x" * 2_000_000 + b"\r\n0\r\n\r\n",
          ("Transfer-Encoding", "chunked")),
    _post("a chunk of a wrong length", 400, None,
          b"zz\r\n" + PLAIN, ("Transfer-Encoding", "chunked")),
    _get("a header without a name", 400, None, ONE, ("", "x")),
    _get("a line break in a header", 400, None, ONE, ("X-A", "b\r\n c\r\n:d")),
]  # fmt: skip
CHARTS = "/api/v1/spc/charts/batch"
RESULTS = "/api/v1/programmes/{programme}/analytics"
SERIES = [
    _row("a batch of charts that are none of them", 200, None, "POST", CHARTS,
         b'{"items": [null, 1, "x", [], {}, {"points": null}, {"points": {}}]}'),
    _row("a series of 1e400 in a batch", 200, None, "POST", CHARTS,
         b'{"items": [{"chart": "i", "points": [{"x": "1", "value": 1e400}]}]}'),
    _row("NaN in a batch of charts", (200, 400, 422), None, "POST", CHARTS,
         b'{"items": [{"chart": "i", "points": [{"x": "1", "value": NaN}]}]}'),
    _row("NUL in a label of a batch", 200, None, "POST", CHARTS,
         rb'{"items": [{"chart": "i", "points": [{"x": "\u0000", "value": 1}]}]}'),
    _row("a lone surrogate in a batch of charts", 200, None, "POST", CHARTS,
         rb'{"items": [{"chart": "\ud800", "title": "\udfff", "\ud800": 1, "points": []}]}'),
    _row("a thousand times a thousand unknown fields", (200, 413, 422), None, "POST", CHARTS,
         b'{"items": [' + b",".join([b'{"a": 1, "b": [[[]]]}'] * 1_000) + b"]}"),
    _row("10,000 levels in a batch of charts", (200, 400, 422), None, "POST", CHARTS,
         b'{"items": [' + b"[" * 10_000 + b"]" * 10_000 + b"]}"),
    _row("a batch of no list", 422, INVALID, "POST", CHARTS, b'{"items": {"0": {}}}'),
    _row("1,001 charts", 422, INVALID, "POST", CHARTS,
         b'{"items": [' + b",".join([b"0"] * 1_001) + b"]}"),
    _get("results of a variation that is none", 422, INVALID, f"{RESULTS}?variation=%00"),
    _get("results of a team that is none", 422, INVALID, f"{RESULTS}?team_id=1%20OR%201=1"),
    _get("results filtered nine times alike", 422, INVALID,
         f"{RESULTS}?" + "&".join(["attainment=missed"] * 9)),
    _get("results of an unknown parameter", 422, "unknown_parameter", f"{RESULTS}?where=1"),
]  # fmt: skip
ROWS = [
    *(*TEXT, *NUMBERS, *BODIES, *MEDIA, *QUERIES, *CURSORS, *DATES),
    *(*BATCHES, *PLANS, *CONDITIONS, *KEYS, *ADDRESSES, *CALLERS, *FRAMING, *SERIES),
    *PLATFORMS,
]
