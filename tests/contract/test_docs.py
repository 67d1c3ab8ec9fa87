"""The pages about the API: all from this server, nothing inline, the catalogue whole."""

import re
from collections import Counter
from collections.abc import Iterator

from starlette.testclient import TestClient

from app import __version__
from app.kit.docs import problem_catalogue
from app.kit.errors import OpenQIError
from app.main import OpenQI
from tests.contract.operations import documented

ADDRESS = re.compile(r'(?:src|href)="([^"]+)"')


def test_the_bare_address_leads_to_the_docs_page(bare_client: TestClient) -> None:
    response = bare_client.get("/", follow_redirects=False)
    assert response.status_code == 307
    assert response.headers["Location"] == "/docs"


def test_the_docs_page_loads_only_files_of_this_server(bare_client: TestClient) -> None:
    page = bare_client.get("/docs")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    addresses = ADDRESS.findall(page.text)
    assert len(addresses) == 5
    for address in addresses:
        assert ":" not in address
        file = bare_client.get(f"/{address}")
        assert file.status_code == 200, address
        assert file.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        tag = file.headers["ETag"]
        assert bare_client.get(f"/{address}", headers={"If-None-Match": tag}).status_code == 304
    assert not re.search(r"<script>|onload=|style=", page.text)


def test_no_other_file_can_be_had(bare_client: TestClient) -> None:
    version = ADDRESS.findall(bare_client.get("/docs").text)[0].split("/")[1]
    for name in ("README.md", "LICENSE", "init.js", "..%2F..%2Fdocs.py", "%2e%2e%2fdocs.py"):
        assert bare_client.get(f"/docs/{version}/{name}").status_code == 404, name


def test_the_document_has_an_etag(bare_client: TestClient, bare_app: OpenQI) -> None:
    response = bare_client.get("/openapi.json")
    assert response.json() == bare_app.openapi()
    again = bare_client.get("/openapi.json", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304
    assert again.content == b""


def test_meta_tells_the_version(bare_client: TestClient) -> None:
    meta = bare_client.get("/api/v1/meta").json()
    assert meta["version"] == __version__
    assert bare_client.get(meta["docs_url"]).status_code == 200
    assert bare_client.get(meta["openapi_url"]).status_code == 200


def test_a_problem_code_is_explained_where_its_type_points(bare_client: TestClient) -> None:
    problem = bare_client.get("/nowhere").json()
    meaning = bare_client.get(problem["type"]).json()
    assert (meaning["code"], meaning["status"]) == (problem["code"], problem["status"])
    assert len(meaning["description"]) > 20
    assert bare_client.get("/problems/no_such_code").status_code == 404


def _kinds(base: type[OpenQIError]) -> Iterator[type[OpenQIError]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _kinds(kind)


def test_no_two_errors_share_a_code(bare_client: TestClient) -> None:
    codes = Counter(kind.code for kind in _kinds(OpenQIError) if "code" in vars(kind))
    assert [code for code, count in codes.items() if count > 1] == []
    listed = [item["code"] for item in bare_client.get("/problems").json()["items"]]
    assert listed == sorted(set(listed))
    assert set(codes) <= set(listed)


def test_every_error_says_what_it_means() -> None:
    for kind in _kinds(OpenQIError):
        assert kind.__doc__, kind
        assert kind.title.endswith("."), kind


def test_every_documented_code_is_in_the_catalogue(bare_app: OpenQI) -> None:
    known = set(problem_catalogue())
    for operation, document in documented(bare_app):
        for response in document["responses"].values():
            _, _, codes = response.get("description", "").partition("Codes: ")
            assert set(re.findall(r"`([a-z_]+)`", codes)) <= known, operation
