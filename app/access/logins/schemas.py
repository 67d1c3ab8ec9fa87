"""Bodies of the login session routes."""

import uuid
from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field

from app.kit.fields import Output
from app.kit.pagination import ListQuery


class LoginSessionQuery(ListQuery):
    """Open logins, latest first unless asked otherwise."""

    sort: Literal["-created_at", "created_at"] = "-created_at"


class LoginSessionRead(Output):
    """One place where you are logged in."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e",
                    "user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
                    "is_current": True,
                    "created_at": "2018-01-08T09:30:00Z",
                    "expires_at": "2018-01-08T10:30:00Z",
                }
            ]
        }
    )

    id: uuid.UUID
    user_agent: str = Field(description="What the browser or program called itself.")
    is_current: bool = Field(description="Whether this request came with it.")
    created_at: datetime
    expires_at: datetime
