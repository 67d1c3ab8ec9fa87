"""How a row of the hostile tables is written down."""

from tests.contract.wire import Hostile

INVALID, BAD = "validation_failed", "bad_request"


def row(
    label: str,
    status: int | tuple[int, ...],
    code: str | None,
    method: str,
    target: str,
    body: bytes | None = None,
    *headers: tuple[str, str],
) -> Hostile:
    statuses = frozenset((status,) if isinstance(status, int) else status)
    return Hostile(label, statuses, code, method, target, body, headers)


def get(
    label: str,
    status: int | tuple[int, ...],
    code: str | None,
    target: str,
    *headers: tuple[str, str],
) -> Hostile:
    return row(label, status, code, "GET", target, None, *headers)
