"""HEAD beside every GET: the same status and headers, no body."""

from starlette.testclient import TestClient

from app.main import OpenQI
from tests.contract.operations import operations

VARYING = {"x-request-id", "x-correlation-id", "date"}


def test_head_is_get_without_a_body(bare_app: OpenQI, bare_client: TestClient) -> None:
    for operation in operations(bare_app):
        if operation.method != "GET":
            continue
        path = operation.path
        got = bare_client.get(path, follow_redirects=False)
        head = bare_client.head(path, follow_redirects=False)
        assert head.status_code == got.status_code, operation
        assert head.content == b"", operation
        assert {name: value for name, value in head.headers.items() if name not in VARYING} == {
            name: value for name, value in got.headers.items() if name not in VARYING
        }, operation


def test_head_where_there_is_no_get(bare_client: TestClient) -> None:
    response = bare_client.head("/api/v1/auth/token")
    assert response.status_code == 405
    assert response.content == b""
