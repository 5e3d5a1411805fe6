"""An operator's server, as small as one can be: it checks signatures, and answers as it was told to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks import Webhook

OK = "204 No Content"


@dataclass(frozen=True, slots=True)
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: str

    def verified(self, secret: str) -> Any:
        """What it says; raises unless that secret signed it."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass
class Receiver:
    """What came, and what to answer: each status line once, the last one for ever; with headers and body if need be."""

    answers: list[str] = field(default_factory=lambda: [OK])
    headers: str = ""
    body: str = ""
    received: list[Received] = field(default_factory=list)
    url: str = ""
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self, count: int) -> list[Received]:
        """The requests, once there are so many."""
        async with asyncio.timeout(20):
            while len(self.received) < count:
                self.came.clear()
                await self.came.wait()
        return self.received

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        request, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        answer = self.answers[min(len(self.received), len(self.answers) - 1)]
        echoed = self.body.format(signature=headers.get("webhook-signature"))
        self.received.append(Received(request.split()[1], headers, body.decode()))
        self.came.set()
        length = f"content-length: {len(echoed.encode())}\r\n" if not answer.startswith("204") else ""
        writer.write(f"HTTP/1.1 {answer}\r\n{self.headers}{length}connection: close\r\n\r\n{echoed}".encode())
        await writer.drain()
        writer.close()


@asynccontextmanager
async def receiver(*answers: str, headers: str = "", body: str = "") -> AsyncIterator[Receiver]:
    """A server on loopback, as long as the block."""
    one = Receiver(list(answers) or [OK], headers, body)
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    one.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    async with server:
        yield one
