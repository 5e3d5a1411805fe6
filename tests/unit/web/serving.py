"""The web of a house behind a real socket, and a Twilio that opens streams to it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from xml.etree import ElementTree

from websockets.asyncio.client import ClientConnection, connect

from app.call.socket import StreamSocket
from app.timing import Deadlines
from app.twilio.media_protocol import Started
from app.web.deps import Arrival
from app.web.server import ParleyServer, server_config
from tests.unit.twilio.accounts import CALL, OURS, sign
from tests.unit.web.house import House, open_house

Carry = Callable[[Arrival, StreamSocket, Started], Awaitable[None]]


class Served:
    """A house at a port of its own."""

    def __init__(self, house: House, port: int) -> None:
        self.house = house
        self.origin = f"http://127.0.0.1:{port}"
        self.stream_url = f"ws://127.0.0.1:{port}/twilio/media"

    async def answer(self) -> dict[str, str]:
        """What a webhook's answer passes to the stream."""
        response = await self.house.post("/twilio/voice", origin=self.origin)
        [[stream], *_] = ElementTree.fromstring(response.content)  # noqa: S314
        return {parameter.attrib["name"]: parameter.attrib["value"] for parameter in stream}

    def stream(self, *, signature: str | None = None, path: str = "") -> connect:
        signature = sign(self.stream_url) if signature is None else signature
        return connect(
            self.stream_url + path,
            additional_headers={"X-Twilio-Signature": signature} if signature else {},
            proxy=None,
            compression=None,
        )


def start(parameters: dict[str, str], *, call_sid: str = CALL, account_sid: str = OURS) -> str:
    inner = {
        "streamSid": "MZ1",
        "accountSid": account_sid,
        "callSid": call_sid,
        "tracks": ["inbound"],
        "customParameters": parameters,
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
    }
    return json.dumps({"event": "start", "sequenceNumber": "1", "streamSid": "MZ1", "start": inner})


async def close_code(stream: ClientConnection) -> int | None:
    async with asyncio.timeout(2):
        await stream.wait_closed()
    return stream.close_code


@asynccontextmanager
async def serve(deadlines: Deadlines | None = None, carry: Carry | None = None) -> AsyncIterator[Served]:
    async with open_house(deadlines, carry) as house, asyncio.TaskGroup() as tasks:
        server = ParleyServer(
            server_config(house.app, host="127.0.0.1", port=0, max_calls=10),
            drain_s=0,
            calls=house.calls,
            on_limit=house.services.wait_empty,
        )
        running = tasks.create_task(server._serve())  # without the signal handlers of `serve`
        async with asyncio.timeout(5):
            while not server.started:  # noqa: ASYNC110 - uvicorn has no event to wait for
                await asyncio.sleep(0.01)
        served = Served(house, server.servers[0].sockets[0].getsockname()[1])
        house.change(public_url=served.origin)
        try:
            yield served
        finally:
            server.should_exit = True
            await running
