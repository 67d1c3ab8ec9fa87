"""A client that is logged in as somebody, with short names for what the tests do all day."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx2 as httpx
from sqlmodel import Session
from starlette.testclient import TestClient

from app.identity.models import LoginSession, User
from app.kit.clock import utc_now
from app.main import OpenQI

API = "/api/v1"


@dataclass
class Caller:
    """Calls the API as one person, or as nobody."""

    client: TestClient
    token: str | None = None

    @classmethod
    def logged_in(
        cls, client: TestClient, app: OpenQI, session: Session, user: User | None
    ) -> "Caller":
        """A login session and its token, without the cost of a password hash."""
        if user is None:
            return cls(client)
        now = utc_now()
        login = LoginSession(user_id=user.id, expires_at=now + timedelta(hours=1))
        session.add(login)
        session.commit()
        token = app.state.tokens.issue(user_id=user.id, session_id=login.id, now=now)
        return cls(client, token)

    def __call__(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = dict(options.pop("headers", {}))
        if self.token is not None:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        url = (
            path
            if path.startswith(("/api", "/health", "/metrics", "/docs", "/problems"))
            else API + path
        )
        response: httpx.Response = self.client.request(method, url, headers=headers, **options)
        return response

    def with_token(self, *scopes: str, programme_id: object = None) -> "Caller":
        """The same person with a new personal token."""
        body = {"name": "Test", "scopes": list(scopes), "expires_in_days": 30}
        bound = {"programme_id": str(programme_id)} if programme_id else {}
        return Caller(self.client, self.create("/auth/tokens", body | bound)["secret"])

    def get(self, path: str, **params: Any) -> httpx.Response:
        """GET with query parameters."""
        return self("GET", path, params=params)

    def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """POST of JSON."""
        return self("POST", path, json=body, headers=headers)

    def patch(self, path: str, body: Any, if_match: str = "*") -> httpx.Response:
        """PATCH with If-Match."""
        return self("PATCH", path, json=body, headers={"If-Match": if_match})

    def put(self, path: str, body: Any, **headers: str) -> httpx.Response:
        """PUT of JSON."""
        return self("PUT", path, json=body, headers=headers)

    def delete(self, path: str) -> httpx.Response:
        """DELETE."""
        return self("DELETE", path)

    def create(self, path: str, body: Any) -> dict[str, Any]:
        """POST that must succeed; the new resource."""
        response = self.post(path, body)
        assert response.status_code == 201, response.text
        created: dict[str, Any] = response.json()
        return created

    def ok(self, path: str, **params: Any) -> dict[str, Any]:
        """GET that must succeed; its document."""
        response = self.get(path, **params)
        assert response.status_code == 200, response.text
        document: dict[str, Any] = response.json()
        return document
