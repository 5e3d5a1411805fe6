"""A second provider: full duplex, without item ids, responses, truncation or voice activity, as OpenAI's GPT-Live is.

It interrupts itself, says nothing of turns, and its transcripts are made whole where the speaker changes.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from app.audio import FRAME_BYTES, FRAME_MS, SILENCE, from_base64, to_base64
from app.conf.models import AgentConf
from app.errors import SessionLost
from app.realtime.events import (
    AgentTranscript,
    AudioDelta,
    CallerTranscript,
    RealtimeInEvent,
    SessionCreated,
    ToolCall,
)
from app.realtime.history import HistoryItem
from app.realtime.session import RealtimeSession
from app.realtime.status import SessionStatus

QUIET_FRAMES = 25
GREETING, QUESTION, ANSWER, BYE = "Hello, this is live.", "When do you open?", "At nine.", "Goodbye."


class LiveSession:
    """Both ends of one session, and what came in: it greets, asks a tool about the caller's words, and hangs up."""

    def __init__(self, history: Sequence[HistoryItem], speed: float) -> None:
        self.history = list(history)
        self.caller_audio = bytearray()
        self.outputs: list[tuple[str, str]] = []
        self.told: list[str] = []
        self.status = SessionStatus.ACTIVE
        self._speed = speed
        self._events: asyncio.Queue[RealtimeInEvent | None] = asyncio.Queue()
        self._quiet = 0
        self._voiced = 0
        self._speaking: set[asyncio.Task[None]] = set()
        self._events.put_nowait(SessionCreated("live_1"))

    # -- the sender

    async def send_audio_delta(self, audio: str | bytes) -> None:
        self._require_open()
        frame = from_base64(audio) if isinstance(audio, str) else audio
        self.caller_audio += frame
        if frame == SILENCE * FRAME_BYTES:
            self._quiet += 1
        else:
            self._voiced, self._quiet = self._voiced + 1, 0
        if self._voiced and self._quiet == QUIET_FRAMES:
            self._voiced = 0
            self._emit(CallerTranscript(QUESTION, final=True), ToolCall("call_1", "hours", '{"day":"monday"}'))

    async def send_tool_response(self, call_id: str, name: str, output: str) -> None:
        self._require_open()
        self.outputs.append((name, output))
        if name == "hours":
            self._speak(ANSWER, ToolCall("call_2", "end_call", "{}"))
        else:
            self._speak(BYE)

    async def say(self, text: str) -> None:
        self._require_open()
        self._speak(text)

    async def start_response(self, options: Any = None) -> None:
        self._require_open()
        self._speak(GREETING)

    async def send_text(self, text: str, *, role: str = "user", respond: bool = True) -> None:
        self._require_open()
        self.told.append(text)
        if respond:
            self._speak(ANSWER)

    async def remember(self, history: Sequence[HistoryItem]) -> None:
        self._require_open()
        self.history += history

    async def truncate(self, item_id: str, heard_ms: int) -> None:
        raise AssertionError("there is nothing to truncate")

    async def cancel(self) -> None:
        raise AssertionError("there is nothing to cancel")

    async def close(self) -> None:
        self._end(SessionStatus.DISCONNECTED)

    # -- the receiver

    async def __aiter__(self) -> AsyncIterator[RealtimeInEvent]:
        while (event := await self._events.get()) is not None:
            yield event
        if self.status is SessionStatus.EXPIRED:
            raise SessionLost("the session is over")

    def lose(self) -> None:
        """End it without being asked."""
        self._end(SessionStatus.EXPIRED)

    def _end(self, status: SessionStatus) -> None:
        if self.status is SessionStatus.ACTIVE:
            self.status = status
            for task in self._speaking:
                task.cancel()
            self._events.put_nowait(None)

    def _speak(self, words: str, *then: RealtimeInEvent) -> None:
        task = asyncio.create_task(self._speak_in_real_time(words, then))
        self._speaking.add(task)
        task.add_done_callback(self._speaking.discard)

    async def _speak_in_real_time(self, words: str, then: Sequence[RealtimeInEvent]) -> None:
        for _ in range(1000 // FRAME_MS // 5):
            self._emit(AudioDelta(to_base64(b"\x55" * FRAME_BYTES * 5)))
            await asyncio.sleep(5 * FRAME_MS / 1000 / self._speed)
        self._emit(AgentTranscript(words, final=True), *then)

    def _emit(self, *events: RealtimeInEvent) -> None:
        for event in events:
            self._events.put_nowait(event)

    def _require_open(self) -> None:
        if self.status is not SessionStatus.ACTIVE:
            raise SessionLost("the session is over")


class LiveProvider:
    """See `RealtimeProvider`."""

    def __init__(self, speed: float) -> None:
        self.sessions: list[LiveSession] = []
        self._speed = speed

    def compile(self, agent: AgentConf) -> dict[str, Any]:
        return {"model": "live", "instructions": agent.instructions}

    async def open(self, agent: AgentConf, history: Sequence[HistoryItem] = ()) -> RealtimeSession:
        session = LiveSession(history, self._speed)
        self.sessions.append(session)
        return session, session  # type: ignore[return-value]

    def warm_up(self) -> None:
        return
