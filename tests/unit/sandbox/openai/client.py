"""A websocket client for these tests. The official `openai` package's models judge every event it is sent."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter
from websockets.asyncio.client import ClientConnection, connect

from app.sandbox.openai.server import SandboxOpenAI

OFFICIAL: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)
PHONE = {
    "type": "realtime",
    "audio": {
        "input": {"format": {"type": "audio/pcmu"}, "transcription": {"model": "gpt-transcribe"}},
        "output": {"format": {"type": "audio/pcmu"}, "voice": "marin"},
    },
    "tools": [{"type": "function", "name": "lookup_table"}, {"type": "function", "name": "end_call"}],
}
Event = dict[str, Any]


class Client:
    """One session, seen from the client."""

    def __init__(self, websocket: ClientConnection) -> None:
        self.websocket = websocket
        self.events: list[Event] = []

    async def send(self, kind: str, **fields: Any) -> None:
        await self.websocket.send(json.dumps({"type": kind, **fields}))

    async def next(self, kind: str, holds: Callable[[Event], object] = lambda event: True) -> Event:
        """The next event of that type; those before it are only kept."""
        async with asyncio.timeout(5):
            while True:
                event = json.loads(await self.websocket.recv())
                OFFICIAL.validate_python(event)
                self.events.append(event)
                if event["type"] == kind and holds(event):
                    return event

    async def speak(self, audio: bytes, chunk: int = 160) -> None:
        """Append audio as the phone would, only faster."""
        for start in range(0, len(audio), chunk):
            payload = base64.b64encode(audio[start : start + chunk]).decode()
            await self.send("input_audio_buffer.append", audio=payload)

    async def configure(self, **changes: Any) -> Event:
        await self.send("session.update", session=PHONE | changes)
        return await self.next("session.updated")

    def kinds(self, after: str = "") -> list[str]:
        """The types so far, from the last one of `after` on; repeated deltas count once."""
        kinds = [event["type"] for event in self.events]
        start = len(kinds) - 1 - kinds[::-1].index(after) if after else 0
        return [kind for place, kind in enumerate(kinds[start:]) if place == 0 or kinds[start + place - 1] != kind]

    def audio_of(self, item_id: str) -> bytes:
        """What was sent of that item's audio so far."""
        deltas = (event for event in self.events if event["type"] == "response.output_audio.delta")
        return b"".join(base64.b64decode(event["delta"]) for event in deltas if event["item_id"] == item_id)


@asynccontextmanager
async def dial(sandbox: SandboxOpenAI, query: str = "?model=gpt-realtime-2.1", **headers: str) -> AsyncIterator[Client]:
    """A session with the sandbox."""
    headers = {"Authorization": f"Bearer {sandbox.api_key}"} | headers
    url = sandbox.realtime_url + query
    async with connect(url, additional_headers=headers, compression=None, proxy=None, max_size=None) as websocket:
        yield Client(websocket)
