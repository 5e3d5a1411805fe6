"""A call in fast motion without sockets: its line moves a frame at a time, and its sessions can be lost at any."""

import asyncio
import itertools
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

from app.audio import FRAME_BYTES, FRAME_MS, from_base64, silence, to_base64
from app.call.bridge import Bridge
from app.call.journal.call_journal import Journal
from app.call.socket import StreamGone
from app.call.status import EndReason
from app.call.turns.flow import CallFlow
from app.conf.models import AgentConf
from app.errors import SessionLost
from app.realtime.events import (
    AgentTranscript,
    AudioDelta,
    AudioDone,
    CallerTranscript,
    RealtimeInEvent,
    ResponseDone,
    ResponseStarted,
    SpeechStarted,
    SpeechStopped,
    ToolCall,
)
from app.realtime.history import HistoryItem, Spoken, ToolAnswered, ToolAsked
from app.realtime.status import SessionStatus
from app.timing import Deadlines
from tests.unit.call.journal.test_journal import RECORD

GREETING, QUESTION, ANSWER = "Hello, who is there?", "Bread and milk?", "Both are here."
IGNORANCE = "I do not know yet."
SPEAKS_FROM, SPEAKS_UNTIL = 20, 40
_ids = itertools.count(1)


def frame(number: int) -> bytes:
    """A frame that no other is like."""
    return number.to_bytes(4, "big") * (FRAME_BYTES // 4)


class Session:
    """One session, both its ends: it greets, asks two tools about the caller's question, and answers."""

    def __init__(self, history: Sequence[HistoryItem], *, asked_every: int | None = None) -> None:
        """The caller asks once, or again each so many frames."""
        self._asked_every = asked_every
        self.history = list(history)
        self.frames: list[int] = []
        self.told: list[str] = []
        self.instructions: list[str | None] = []
        self.agent = ""
        self.status = SessionStatus.ACTIVE
        self.knows = list(history)
        self._events: asyncio.Queue[RealtimeInEvent | None] = asyncio.Queue()
        self._speech = ""

    def lose(self) -> None:
        """The network breaks."""
        self.status = SessionStatus.DISCONNECTED
        self._events.put_nowait(None)

    async def send_audio_delta(self, audio: str) -> None:
        self._require_open()
        number = int.from_bytes(from_base64(audio)[:4], "big")
        self.frames.append(number)
        if self._asked_every:
            number %= self._asked_every
        if SPEAKS_FROM <= number < SPEAKS_UNTIL and not self._speech:
            self._speech = f"u{next(_ids)}"
            self._emit(SpeechStarted(item_id=self._speech))
        elif number >= SPEAKS_UNTIL and self._speech:
            self.knows.append(Spoken("caller", QUESTION))
            item_id, self._speech = self._speech, ""
            self._emit(SpeechStopped(item_id=item_id), CallerTranscript(QUESTION, item_id, final=True))
            self._answer()

    async def send_tool_response(self, call_id: str, name: str, output: str) -> None:
        self._require_open()
        self.knows.append(ToolAnswered(call_id, output))
        assert any(isinstance(item, ToolAsked) and item.call_id == call_id for item in self.knows)
        if self._has_outputs:
            self._speak(ANSWER)

    async def start_response(self, options: Any = None) -> None:
        self._require_open()
        self._answer()

    async def send_text(self, text: str, *, role: str = "user", respond: bool = True) -> None:
        self._require_open()
        self.told.append(text)
        if respond:
            self._answer()

    async def remember(self, history: Sequence[HistoryItem]) -> None:
        self._require_open()
        self.history += history
        self.knows += history

    async def update(self, *, instructions: str | None = None) -> None:
        self._require_open()
        self.instructions.append(instructions)

    async def truncate(self, item_id: str, heard_ms: int) -> None:
        self._require_open()

    async def close(self) -> None:
        self.status = SessionStatus.DISCONNECTED
        self._events.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[RealtimeInEvent]:
        while (event := await self._events.get()) is not None and self.status is SessionStatus.ACTIVE:
            yield event
        raise SessionLost("gone")

    @property
    def _has_outputs(self) -> bool:
        asked = {item.call_id for item in self.knows if isinstance(item, ToolAsked)}
        return asked == {item.call_id for item in self.knows if isinstance(item, ToolAnswered)}

    def _answer(self) -> None:
        if Spoken("caller", QUESTION) not in self.knows:
            self._speak(GREETING)
        elif any(isinstance(item, ToolAsked) for item in self.knows):
            self._speak(ANSWER if self._has_outputs else IGNORANCE)
        else:
            calls = [ToolCall(f"call_{next(_ids)}", "find", "{}") for _ in range(2)]
            self.knows += [ToolAsked(call.call_id, call.name, call.arguments) for call in calls]
            response_id = f"r{next(_ids)}"
            self._emit(ResponseStarted(response_id), *calls, ResponseDone(response_id))

    def _speak(self, words: str) -> None:
        item_id, response_id = f"a{next(_ids)}", f"r{next(_ids)}"
        self.knows.append(Spoken("agent", words))
        self._emit(
            ResponseStarted(response_id),
            *(AudioDelta(to_base64(silence(100)), item_id, response_id) for _ in range(4)),
            AudioDone(item_id, response_id),
            AgentTranscript(words, item_id, final=True),
            ResponseDone(response_id),
        )

    def _emit(self, *events: RealtimeInEvent) -> None:
        for event in events:
            self._events.put_nowait(event)

    def _require_open(self) -> None:
        if self.status is not SessionStatus.ACTIVE:
            raise SessionLost("gone")


class Line:
    """The carrier's end: each `receive` is the next frame, a mark that is due, or the end."""

    def __init__(
        self, frames: int, on_frame: Callable[[int], None], *, first: int = 0, frame_ms: int = FRAME_MS
    ) -> None:
        """With more `frame_ms` than a frame has, time flies and most of the frames are missing."""
        self._frame_ms = frame_ms
        self.number = first
        self.closed = False
        self.ignored = 0
        self.cleared = 0
        self.stream_sid = f"MZ{first}"
        self._first = first
        self._frames = frames
        self._on_frame = on_frame
        self._marks: deque[str] = deque()

    @property
    def now_ms(self) -> float:
        return self.number * self._frame_ms

    async def receive(self) -> str:
        for _ in range(6):  # everybody else gets a turn
            await asyncio.sleep(0)
        if self._marks:
            return json.dumps({"event": "mark", "mark": {"name": self._marks.popleft()}})
        if self.number == self._frames or self.closed:
            await asyncio.sleep(0.005)
            raise StreamGone(1000)
        self._on_frame(self.number)
        self.number += 1
        media = {
            "payload": to_base64(frame(self.number)),
            "timestamp": str((self.number - self._first) * self._frame_ms),
            "chunk": str(self.number - self._first),
        }
        return json.dumps({"event": "media", "media": media})

    def stop(self) -> None:
        """Nothing more comes from here."""
        self._marks.clear()
        self._frames = self.number

    async def send(self, text: str) -> None:
        if self.closed:
            raise StreamGone(1000)
        message = json.loads(text)
        assert message["streamSid"] == self.stream_sid
        if message["event"] == "mark":
            self._marks.append(message["mark"]["name"])
        elif message["event"] == "clear":
            self.cleared += 1

    async def close(self, code: int = 1000) -> None:
        self.closed = True


class Rehearsal:
    """One call over such a line; `on_frame` may do anything to it."""

    def __init__(
        self,
        folder: Path,
        *,
        frames: int,
        on_frame: Callable[["Rehearsal", int], None],
        frame_ms: int = FRAME_MS,
        asked_every: int | None = None,
        **agent: Any,
    ) -> None:
        self._asked_every = asked_every
        self.sessions: list[Session] = []
        self.transcripts: list[list[tuple[str, str]]] = []
        """The call's transcript, as heard, at the moment each session was opened."""
        self.tools: list[str] = []
        self.release = asyncio.Event()
        self.line = Line(frames, lambda number: on_frame(self, number), frame_ms=frame_ms)
        self.journal = Journal(folder, RECORD, now_ms=lambda: self.line.now_ms, listeners=[self._listen])
        self.events: list[Any] = []
        conf = AgentConf(**{"silence": None} | agent)
        self.flow = CallFlow(speaks_first=True)
        self.bridge = Bridge(
            socket=self.line,
            stream_sid=self.line.stream_sid,
            agent=conf,
            open_session=self._open,
            reopen_session=self._open,
            run_tool=self._run_tool,
            flow=self.flow,
            journal=self.journal,
            now_ms=lambda: self.line.now_ms,
            deadlines=Deadlines(tick_s=0.0005, speed=100),
            session_ready=lambda: None,
        )

    async def run(self) -> EndReason:
        """Carry it to the line's end."""
        return await self.bridge.run()

    def _listen(self, _record: Any, event: Any) -> None:
        if not event.fleeting:
            self.events.append(event)

    async def _open(self, history: Sequence[HistoryItem] = ()) -> Any:
        turns = self.journal.transcript.turns
        heard = [(turn.speaker, turn.said if turn.heard is None else turn.heard) for turn in turns]
        self.transcripts.append([turn for turn in heard if turn[1]])
        session = Session(history, asked_every=self._asked_every)
        self.sessions.append(session)
        await asyncio.sleep(0)
        return session, session

    async def _run_tool(self, call: ToolCall) -> str:
        self.tools.append(call.call_id)
        await self.release.wait()
        return "found"
