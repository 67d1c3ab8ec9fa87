"""Signs messages for `verify_webhook.mjs`: a JSON object a line, with the right verdict."""

import json
import time

from app.kit.signing import make_secret, sign

BODY = '{"type":"measure.updated","data":{"note":"Prüfung, naïve, 検査"}}'
NOW = int(time.time())
new, old, other = make_secret(), make_secret(), make_secret()


def _say(name: str, secret: str, headers: dict[str, str], body: str, expect: str) -> None:
    told = {"name": name, "secret": secret, "headers": headers, "body": body, "expect": expect}
    print(json.dumps(told))


def _signed(*secrets: str, at: int = NOW) -> dict[str, str]:
    return sign(secrets, message_id="evt_0193a0c2", timestamp=at, body=BODY.encode())


_say("ours", new, _signed(new), BODY, "accepted")
_say("rotation, who has the new secret", new, _signed(new, old), BODY, "accepted")
_say("rotation, who has the old secret", old, _signed(new, old), BODY, "accepted")
_say("a secret that is neither", other, _signed(new, old), BODY, "refused")
_say("a changed body", new, _signed(new), BODY.replace("updated", "archived"), "refused")
_say("another id", new, {**_signed(new), "webhook-id": "evt_other"}, BODY, "refused")
_say("too long ago", new, _signed(new, at=NOW - 400), BODY, "refused")
_say("from the future", new, _signed(new, at=NOW + 400), BODY, "refused")
