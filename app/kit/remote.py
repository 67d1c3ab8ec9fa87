"""A server of this API as the command line calls it: whoever sits there names it and has a token.

So the addresses are not checked as those of `kit.outbound` are, which others name. Over plain HTTP
the token goes to this machine only.
"""

from collections.abc import Mapping
from typing import Any

import httpx2

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_TIMEOUT = httpx2.Timeout(30.0, write=300.0)  # a large file on a slow line


class Unreachable(Exception):
    """No answer of such a server; the sentence is for whoever sits there."""


class Declined(Exception):
    """The server's problem document."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status, self.problem = status, problem
        said = problem.get("detail") or problem.get("title") or "no reason was given"
        super().__init__(f"the server declines ({status}): {said}")


class Remote:
    """Calls one server with one token. Close it by leaving its context."""

    def __init__(self, url: str, token: str) -> None:
        try:
            base = httpx2.URL(url)
        except (httpx2.InvalidURL, TypeError) as fault:
            raise Unreachable(f"{url} is not an address of the web") from fault
        if base.scheme != "https" and not (base.scheme == "http" and base.host in _LOOPBACK):
            raise Unreachable("give an https address: the token must not travel in the clear")
        self._client = httpx2.Client(
            base_url=base,
            headers={"Authorization": f"Bearer {token}"},
            timeout=_TIMEOUT,
            trust_env=base.scheme == "https",  # a proxy would get the token in the clear
        )

    def __enter__(self) -> "Remote":
        return self

    def __exit__(self, *_fault: object) -> None:
        self._client.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        media_type: str | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> tuple[dict[str, Any], Mapping[str, str]]:
        """The document and the headers of an answer. Raises `Declined` or `Unreachable`."""
        headers = {"Content-Type": media_type} if media_type else {}
        try:
            answer = self._client.request(
                method, path, content=content, headers=headers, params=params
            )
            document = answer.json()
        except httpx2.HTTPError as fault:
            raise Unreachable(f"{self._client.base_url} gives no answer") from fault
        except ValueError as fault:
            raise Unreachable(f"{self._client.base_url} answers something else") from fault
        if not isinstance(document, dict):
            raise Unreachable(f"{self._client.base_url} answers something else")
        if answer.status_code >= 300:
            raise Declined(answer.status_code, document)
        return document, answer.headers
