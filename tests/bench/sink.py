"""A receiver in a process of its own: answers 204 at once, never on `/hole`, notes when it heard.

`python -m tests.bench.sink` prints its port; `GET /heard` answers {webhook-id: Unix seconds}.
"""

import asyncio
import json
import time

heard: dict[str, float] = {}


async def _request(reader: asyncio.StreamReader) -> tuple[str, str, dict[str, str]]:
    method, path, _ = (await reader.readline()).decode().split(" ", 2)
    headers: dict[str, str] = {}
    while (line := await reader.readline()).strip():
        name, _, value = line.decode().partition(":")
        headers[name.lower()] = value.strip()
    await reader.readexactly(int(headers.get("content-length", "0")))
    return method, path, headers


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            method, path, headers = await _request(reader)
            if path == "/hole":
                await asyncio.sleep(3600)
            body = b""
            if method == "POST":
                heard.setdefault(headers.get("webhook-id", ""), time.time())
            else:
                body = json.dumps(heard).encode()
                heard.clear()
            status = "200 OK" if body else "204 No Content"
            writer.write(
                f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body
            )
            await writer.drain()
    except (ValueError, ConnectionError, asyncio.IncompleteReadError):
        writer.close()


async def _main() -> None:
    server = await asyncio.start_server(_serve, "0.0.0.0", 0)  # noqa: S104 - all of 127/8
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
