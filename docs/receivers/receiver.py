"""A receiver of OpenQI webhooks: FastAPI, and the library of the Standard Webhooks project.

pip install fastapi uvicorn standardwebhooks
OPENQI_WEBHOOK_SECRET=whsec_... uvicorn receiver:app --port 9000
"""

import os
import sqlite3
from typing import Any

from fastapi import FastAPI, Request, Response
from standardwebhooks import Webhook, WebhookVerificationError

SECRET = os.environ["OPENQI_WEBHOOK_SECRET"]
seen = sqlite3.connect(os.environ.get("SEEN_DATABASE", "seen.db"), check_same_thread=False)
seen.execute("CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY)")
app = FastAPI()


def handle(message: dict[str, Any]) -> None:
    """Your work. What takes longer than a few seconds belongs in a queue of your own."""
    print(message.get("seq"), message["type"], message["data"]["url"], flush=True)


@app.post("/openqi", status_code=204)
async def receive(request: Request) -> Response:
    body = await request.body()  # the bytes as they came: parsed and written anew they may differ
    try:
        message = Webhook(SECRET).verify(body, dict(request.headers))
    except (WebhookVerificationError, ValueError):
        return Response(status_code=401)
    with seen:  # one transaction: if the work fails, the message is not seen and comes again
        first = seen.execute("INSERT OR IGNORE INTO seen VALUES (?)", (message["id"],)).rowcount
        if first:
            handle(message)
    return Response(status_code=204)
