"""What schemathesis does not know by itself; named in `openapi/schemathesis.toml`."""

import schemathesis


@schemathesis.serializer("application/jsonl")
def as_text(_context: object, value: object) -> bytes:
    """Lines of JSON are described as one text, and sent as it is generated."""
    return str(value).encode()
