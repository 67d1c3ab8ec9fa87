"""Reads the feed from where it was left: after an outage, or instead of webhooks.

OPENQI_URL=https://qi.example OPENQI_TOKEN=qipat_... python catch_up.py
"""

import json
import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PLACE = Path(os.environ.get("PLACE_FILE", "openqi-place.txt"))


def page(after: int) -> dict[str, Any]:
    address = f"{os.environ['OPENQI_URL']}/api/v1/events?after={after}&limit=500"
    headers = {"Authorization": f"Bearer {os.environ['OPENQI_TOKEN']}"}
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers)) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def news() -> Iterator[dict[str, Any]]:
    """What has happened since the last run; run it again after a fault, and it goes on."""
    after = int(PLACE.read_text()) if PLACE.exists() else 0
    while True:
        found = page(after)
        yield from found["items"]
        after = found["next_after"]
        PLACE.write_text(str(after))
        if not found["has_more"]:  # and not by an empty page: rights can hide a whole one
            return


if __name__ == "__main__":
    for event in news():
        print(event["seq"], event["type"], event["data"]["url"])
