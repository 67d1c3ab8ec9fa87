"""Addresses, messages and places in the feed that no honest platform gives; see `hostile_table`."""

from tests.contract.hostile_rows import INVALID
from tests.contract.hostile_rows import get as _get
from tests.contract.hostile_rows import row as _row
from tests.contract.wire import Hostile

ENDPOINTS = "/api/v1/webhook-endpoints"
EVENTS = "/api/v1/events"
MESSAGES = "/api/v1/integrations/{integration}/events"
UNSIGNED = "invalid_signature"


def _address(label: str, url: bytes) -> Hostile:
    body = b'{"programme_id": "<programme>", "url": "' + url + b'"}'
    return _row(f"a webhook to {label}", 422, INVALID, "POST", ENDPOINTS, body)


def _message(label: str, body: bytes, *headers: tuple[str, str]) -> Hostile:
    return _row(f"a message {label}", 401, UNSIGNED, "POST", MESSAGES, body, *headers)


def _mapping(label: str, mapping: bytes) -> Hostile:
    body = b'{"message": {"a": "\\u0000"}, "mapping": ' + mapping + b"}"
    target = "/api/v1/integrations/{integration}/mapping-tests"
    return _row(f"a mapping {label}", 422, None, "POST", target, body)


PLATFORMS = [
    _address("this machine", b"https://127.0.0.1/hooks"),
    _address("this machine in six bytes", b"https://[::ffff:127.0.0.1]/hooks"),
    _address("this machine in one number", b"https://2130706433/hooks"),
    _address("the metadata of a cloud", b"https://169.254.169.254/latest/meta-data"),
    _address("a private net", b"https://10.0.0.1/hooks"),
    _address("a plain address", b"http://platform.example.org/hooks"),
    _address("a file", b"file:///etc/passwd"),
    _address("a script", b"javascript:alert(1)"),
    _address("an address with a password", b"https://ada:hunter2@platform.example.org/hooks"),
    _address("a port of mail", b"https://platform.example.org:25/hooks"),
    _address("an address with a line break", rb"https://platform.example.org/\r\nX-A: b"),
    _address("an address with NUL", rb"https://platform.example.org/\u0000"),
    _address("an address of 5,000", b"https://platform.example.org/" + b"x" * 5_000),
    _row("a webhook for events of no kind", 422, INVALID, "POST", ENDPOINTS,
         b'{"programme_id": "<programme>", "url": "https://platform.example.org/", '
         b'"event_types": ["%.created"]}'),
    _message("that nothing signs", b"{}"),
    _message("that is no JSON and not signed", b"{", ("webhook-id", "msg_1")),
    _message("with a signature of junk", b"{}", ("webhook-id", "msg_1"),
             ("webhook-timestamp", "1515403800"), ("webhook-signature", "v1,,v1 v2,\xe9")),
    _message("of the year 10000", b"{}", ("webhook-id", "msg_1"),
             ("webhook-timestamp", "9" * 400), ("webhook-signature", "v1,AAAA")),
    _message("with a thousand signatures", b"{}", ("webhook-id", "msg_1"),
             ("webhook-timestamp", "1515403800"), ("webhook-signature", "v1,AAAA " * 1_000)),
    _row("a message of 2 MB", 413, "body_too_large", "POST", MESSAGES, b"x" * 2_000_000),
    _mapping("of no pointer", b'{"type": "event", "rules": []}'),
    _mapping("of a pointer of 10,000 steps", b'{"type": "' + b"/a" * 10_000 + b'", "rules": []}'),
    _mapping("of 10,000 rules", b'{"type": "/a", "rules": [' + b"{}," * 9_999 + b"{}]}"),
    _get("the feed after -1", 422, INVALID, f"{EVENTS}?after=-1"),
    _get("the feed after int8", 422, INVALID, f"{EVENTS}?after=9223372036854775808"),
    _get("the feed of SQL", 422, INVALID, f"{EVENTS}?type=team.%25'%20or%201=1"),
    _get("the feed of 101 types", 422, INVALID,
         f"{EVENTS}?" + "&".join(["type=team.created"] * 101)),
    _get("the feed with a cursor", 422, "unknown_parameter", f"{EVENTS}?cursor=AAAA"),
    _get("the stream after a word", (400, 422), None, f"{EVENTS}/stream",
         ("Last-Event-ID", "latest; drop table event")),
]  # fmt: skip
