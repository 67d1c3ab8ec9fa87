"""The committed OpenAPI document is that of this version: a change of the API is seen in review."""

import json
from pathlib import Path

from app.main import OpenQI

SNAPSHOT = Path(__file__).parents[2] / "openapi" / "openapi.json"


def test_the_snapshot_is_current(bare_app: OpenQI) -> None:
    assert json.loads(SNAPSHOT.read_text()) == json.loads(json.dumps(bare_app.openapi())), (
        "run `make openapi` and look at the difference"
    )
