"""Sends one signed message to an OpenQI connection; standard library only.

OPENQI_SECRET=whsec_... python sender.py $CONNECTION/events < message.json
where CONNECTION=https://qi.example/api/v1/integrations/0193a0c2-...
"""

import base64
import hashlib
import hmac
import os
import sys
import time
import urllib.request
import uuid


def signed(secret: str, message_id: str, body: bytes) -> dict[str, str]:
    """The headers. `message_id` has no full stop, and is the same whenever the message is sent."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    timestamp = str(int(time.time()))
    content = f"{message_id}.{timestamp}.".encode() + body
    digest = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{digest}",
    }


def main() -> None:
    body = sys.stdin.buffer.read()  # sign these bytes, and send these bytes
    message_id = os.environ.get("MESSAGE_ID", f"msg_{uuid.uuid4().hex}")
    headers = signed(os.environ["OPENQI_SECRET"], message_id, body)
    request = urllib.request.Request(sys.argv[1], body, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        print(answer.status, answer.read().decode())


if __name__ == "__main__":
    main()
