"""One realtime session: client events in, server events out, with the voice activity of what it is given to hear."""

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from app.audio import from_base64
from app.sandbox.openai import client_events as client
from app.sandbox.openai.brain import Brain, Heard, ToolOutput, exact_words
from app.sandbox.openai.conversation import Conversation, Entry, Event
from app.sandbox.openai.faults import NO_FAULTS, Faults
from app.sandbox.openai.hearing import hear
from app.sandbox.openai.refusal import Refusal, error_event
from app.sandbox.openai.response import Response, Terms
from app.sandbox.openai.session_config import (
    Config,
    default_config,
    input_format,
    output_format,
    updated,
    vad_settings,
    with_format,
)
from app.sandbox.openai.sound import BYTES_PER_MS, decode
from app.sandbox.openai.vad import Noticed, ServerVad
from app.sandbox.voices.clips import text_of

SESSION_SECONDS = 3600
LEAST_COMMIT_MS = 100
KEEP_MS = 5000
"""While nobody speaks, older audio than this is forgotten: no turn reaches back so far."""


@dataclass(frozen=True, slots=True)
class Close:
    """The socket's end, as the server wants it."""

    code: int = 1000
    reason: str = ""


Outgoing = Event | str | Close
"""An event; a raw frame; the end."""


@dataclass(slots=True)
class _Pending:
    """What reached the session since its last response."""

    ears: "asyncio.Task[str | None] | None" = None
    audio_ms: int = 0
    outputs: list[ToolOutput] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


class SandboxSession:
    """A session as the sandbox sees it. Tests read `received`, `sent`, `caller_audio` and `closed`."""

    def __init__(
        self, model: str, brain: Brain, tasks: asyncio.TaskGroup, *, speed: float = 1.0, faults: Faults = NO_FAULTS
    ) -> None:
        self.id = _new_id("sess")
        self.received: list[Event] = []
        self.sent: list[str] = []
        self.caller_audio = bytearray()
        self.closed = asyncio.Event()
        self.config: Config = default_config(model)
        self.conversation = Conversation()
        self.outbox: asyncio.Queue[Outgoing] = asyncio.Queue()
        self._brain, self._tasks, self._speed, self._faults = brain, tasks, speed, faults
        self._conversation_id = _new_id("conv")
        self._expires_at = int(time.time()) + SESSION_SECONDS
        self._running: dict[str, _Running] = {}
        self._active: _Running | None = None
        self._has_spoken = False
        self._has_answered = False
        self._pending = _Pending()
        self._buffer = bytearray()
        self._buffer_from_ms = 0
        self._position_ms = 0
        self._turn_id = ""
        self._vad = self._new_vad()
        self._changed = asyncio.Event()

    # What a test or a rehearsal does with it

    async def wait_for(self, what: "str | Callable[[SandboxSession], object]") -> None:
        """Return once an event of that type was received or sent, or once the condition holds."""
        while not (what(self) if callable(what) else self.saw(what)):
            await self._changed.wait()

    def saw(self, kind: str) -> bool:
        """An event of that type was received or sent."""
        return kind in self.sent or any(event.get("type") == kind for event in self.received)

    def emit(self, *events: Outgoing) -> None:
        """Send these to the client, after everything sent before."""
        for event in events:
            if isinstance(event, dict):
                event = {"event_id": _new_id("event"), **event}  # noqa: PLW2901 - the same event, now numbered
            self.outbox.put_nowait(event)

    def close(self, code: int = 1000, reason: str = "") -> None:
        """End the session from the server's side; 1006 cuts the connection."""
        self.emit(Close(code, reason))

    def note_sent(self, kind: str) -> None:
        """The shell has sent an event of that type."""
        self.sent.append(kind)
        self._stir()

    def note_closed(self) -> None:
        """The shell has lost its socket."""
        self.closed.set()
        self._stir()

    # The wire

    def open(self) -> None:
        """What the server says first."""
        self.emit({"type": "session.created", "session": self._shown()})
        self.emit({"type": "conversation.created", "conversation": {"id": self._conversation_id, "object": "realtime.conversation"}})

    def receive(self, text: str) -> None:
        """Act on one frame of the client's."""
        event_id = None
        try:
            given = client.parse(text)
            event_id = given.get("event_id") if isinstance(given.get("event_id"), str) else None
            self.received.append(given)
            self._act(client.check(given), given)
        except Refusal as refusal:
            self.emit(error_event(refusal, event_id))
        self._stir()

    def _act(self, event: client.AnyClientEvent, given: Event) -> None:
        match event:
            case client.AudioAppend():
                self._append(event.audio)
            case client.SessionUpdate():
                self._update(given["session"])
            case client.AudioCommit():
                self._commit_by_hand()
            case client.AudioClear():
                self._forget_audio(self._position_ms)
                self._vad = self._new_vad()
                self.emit({"type": "input_audio_buffer.cleared"})
            case client.ItemCreate():
                self._create_item(given["item"], event.previous_item_id)
            case client.ItemDelete():
                self.conversation.delete(event.item_id)
                self.emit({"type": "conversation.item.deleted", "item_id": event.item_id})
            case client.ItemRetrieve():
                item = self.conversation.retrieve(event.item_id)
                self.emit({"type": "conversation.item.retrieved", "item": item})
            case client.ItemTruncate():
                self.conversation.truncate(event.item_id, event.audio_end_ms)
                names = ("item_id", "content_index", "audio_end_ms")
                self.emit({"type": "conversation.item.truncated"} | {name: given[name] for name in names})
            case client.ResponseCreate():
                self._create_response(given.get("response", {}))
            case client.ResponseCancel():
                self._cancel(event.response_id)

    def _stir(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    # Configuration

    def _update(self, update: Mapping[str, Any]) -> None:
        if self._faults.refuse_update is not None:
            raise Refusal(self._faults.refuse_update, "This session.update is refused on purpose.", "session")
        detector = vad_settings(self.config)
        config = updated(self.config, update, has_spoken=self._has_spoken)
        self.config = with_format(config, self._faults.echo_format) if self._faults.echo_format else config
        if vad_settings(self.config) != detector:
            self._vad = self._new_vad()
        self.emit({"type": "session.updated", "session": self._shown()})

    def _shown(self) -> dict[str, Any]:
        return {"object": "realtime.session", "id": self.id, "expires_at": self._expires_at, **self.config}

    def _new_vad(self) -> ServerVad | None:
        settings = vad_settings(self.config)
        return ServerVad(settings, from_ms=self._position_ms) if settings else None

    def _turn_detection(self, wish: str) -> bool:
        return bool((self.config["audio"]["input"]["turn_detection"] or {}).get(wish))

    # The caller's audio

    def _append(self, audio: str) -> None:
        try:
            sound = from_base64(audio)
        except ValueError:
            raise Refusal("invalid_value", "Invalid 'audio'. Expected base64-encoded audio bytes.", "audio") from None
        if len(sound) > client.MAX_APPEND_BYTES:
            raise Refusal("invalid_value", "Invalid 'audio': more than 15 MiB in one event.", "audio")
        self.caller_audio += sound
        self._buffer += sound
        form = input_format(self.config)
        self._position_ms = self._buffer_from_ms + len(self._buffer) // BYTES_PER_MS[form]
        if self._vad is None:
            return
        for noticed in self._vad.feed(decode(sound, form)):
            self._notice(noticed)
        if not self._vad.speaking and len(self._buffer) > 2 * KEEP_MS * BYTES_PER_MS[form]:
            self._forget_audio(self._position_ms - KEEP_MS)

    def _notice(self, noticed: Noticed) -> None:
        match noticed.kind:
            case "started":
                self._turn_id = _new_id("item")
                started = {"audio_start_ms": noticed.since_ms, "item_id": self._turn_id}
                self.emit({"type": "input_audio_buffer.speech_started", **started})
                if self._turn_detection("interrupt_response") and self._active:
                    self._active.cut("turn_detected")
            case "stopped":
                stopped = {"audio_end_ms": noticed.at_ms, "item_id": self._turn_id}
                self.emit({"type": "input_audio_buffer.speech_stopped", **stopped})
                self._commit(self._turn_id, noticed.since_ms, noticed.at_ms)
                self._answer_turn()
            case "idle":
                item_id = _new_id("item")
                stretch = {"audio_start_ms": noticed.since_ms, "audio_end_ms": noticed.at_ms, "item_id": item_id}
                self.emit({"type": "input_audio_buffer.timeout_triggered", **stretch})
                self._commit(item_id, max(noticed.since_ms, self._buffer_from_ms), noticed.at_ms)
                self._answer_turn(idle=True)

    def _answer_turn(self, *, idle: bool = False) -> None:
        if self._turn_detection("create_response") and self._active is None:
            self._respond({}, "idle" if idle else None)

    def _commit_by_hand(self) -> None:
        if self._position_ms - self._buffer_from_ms < LEAST_COMMIT_MS:
            held = self._position_ms - self._buffer_from_ms
            message = f"Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, but buffer only has {held}.00ms of audio."
            raise Refusal("input_audio_buffer_commit_empty", message)
        self._commit(_new_id("item"), self._buffer_from_ms, self._position_ms)
        self._vad = self._new_vad()

    def _commit(self, item_id: str, start_ms: int, end_ms: int) -> None:
        form = input_format(self.config)
        first, last = (BYTES_PER_MS[form] * (at_ms - self._buffer_from_ms) for at_ms in (start_ms, end_ms))
        audio = bytes(self._buffer[max(first, 0) : last])
        self._forget_audio(end_ms)
        item = {"id": item_id, "object": "realtime.item", "type": "message", "status": "completed", "role": "user"}
        entry = Entry(item | {"content": [{"type": "input_audio", "transcript": None}]}, audio, form)
        previous = self.conversation.insert(entry)
        self.emit({"type": "input_audio_buffer.committed", "item_id": item_id, "previous_item_id": previous})
        self._show_item(entry, previous)
        self._pending.audio_ms = entry.audio_ms
        self._pending.ears = self._tasks.create_task(asyncio.to_thread(hear, decode(audio, form)), name="ears")
        if transcription := self.config["audio"]["input"]["transcription"]:
            self._tasks.create_task(self._transcribe(entry, transcription["model"], self._pending.ears))

    def _forget_audio(self, before_ms: int) -> None:
        size = BYTES_PER_MS[input_format(self.config)]
        del self._buffer[: max(0, before_ms - self._buffer_from_ms) * size]
        self._buffer_from_ms = before_ms

    async def _transcribe(self, entry: Entry, model: str, ears: "asyncio.Task[str | None]") -> None:
        phrase = await asyncio.shield(ears)
        transcript = text_of(phrase) if phrase else ""
        entry.item = entry.item | {"content": [{"type": "input_audio", "transcript": transcript}]}
        about = {"item_id": entry.item["id"], "content_index": 0}
        if transcript:
            self.emit({"type": "conversation.item.input_audio_transcription.delta", **about, "delta": transcript})
        done = {"transcript": transcript, "usage": {"type": "duration", "seconds": entry.audio_ms / 1000}}
        if model == "gpt-transcribe":
            done["languages"] = [{"code": "en"}] if transcript else []
        self.emit({"type": "conversation.item.input_audio_transcription.completed", **about, **done})

    # Items

    def _create_item(self, given: dict[str, Any], after: str | None) -> None:
        item = {"id": _new_id("item"), "object": "realtime.item", "status": "completed", **given}
        if item["type"] == "function_call":
            item = {"call_id": _new_id("call"), **item}
        output = self._output_of(item) if item["type"] == "function_call_output" else None
        entry = Entry(item)
        self._show_item(entry, self.conversation.insert(entry, after))
        if output:
            self._pending.outputs.append(output)
        elif item.get("role") in ("user", "system"):
            self._pending.texts += [part["text"] for part in item["content"] if part["type"] == "input_text"]

    def _output_of(self, item: dict[str, Any]) -> ToolOutput:
        call = self.conversation.call(item["call_id"])
        if call is None:
            message = f"Tool call ID '{item['call_id']}' not found in conversation."
            raise Refusal("invalid_tool_call_id", message, "item.call_id")
        return ToolOutput(item["call_id"], call["name"], call["arguments"], item["output"])

    def _show_item(self, entry: Entry, previous: str | None) -> None:
        for kind in ("added", "done"):
            shown = {"previous_item_id": previous, "item": dict(entry.item)}
            self.emit({"type": f"conversation.item.{kind}", **shown})

    # Responses

    def _create_response(self, wish: Mapping[str, Any]) -> None:
        if wish.get("conversation") != "none" and self._active is not None:
            message = (
                f"Conversation already has an active response in progress: {self._active.response.id}."
                " Wait until the response is finished before creating a new one."
            )
            raise Refusal("conversation_already_has_active_response", message)
        self._respond(wish, None)

    def _cancel(self, response_id: str | None) -> None:
        running = self._active if response_id is None else self._running.get(response_id)
        if running is None:
            raise Refusal("response_cancel_not_active", "Cancellation failed: no active response found.")
        running.cut("client_cancelled")

    def _respond(self, wish: Mapping[str, Any], why: "str | None") -> None:
        apart = wish.get("conversation") == "none"
        pending, self._pending = self._pending, _Pending()
        heard = self._what_was_heard(wish, pending, idle=why == "idle")
        conversation = Conversation() if apart else self.conversation
        conversation_id = None if apart else self._conversation_id
        response = Response(self._terms(wish), conversation, _new_id, conversation_id=conversation_id)
        running = _Running(self, response)
        self._running[response.id] = running
        if not apart:
            self._active, self._has_answered = running, True
        self.emit(response.start(), _rate_limits())
        running.task = self._tasks.create_task(self._play(running, heard, pending.ears), name="response")

    async def _play(self, running: "_Running", heard: Heard, ears: "asyncio.Task[str | None] | None") -> None:
        if ears is not None:
            heard = replace(heard, phrase=await asyncio.shield(ears))
        reply = self._brain.answer(heard)
        began_ms = self._position_ms
        for step in running.response.steps(reply):
            self.emit(*step.events)
            self._has_spoken = self._has_spoken or running.response.audio_ms > 0
            if step.then_ms:
                await asyncio.sleep(step.then_ms / 1000 / self._speed)
        self.emit(*running.response.finish(reply.failure))
        self._end(running, played_until_ms=began_ms + running.response.audio_ms)

    def _end(self, running: "_Running", *, played_until_ms: int = 0) -> None:
        del self._running[running.response.id]
        if self._active is running:
            self._active = None
            if self._vad is not None and not self._vad.speaking:
                self._vad.wait_from(max(self._position_ms, played_until_ms))

    def _what_was_heard(self, wish: Mapping[str, Any], pending: _Pending, *, idle: bool) -> Heard:
        if wish.get("input") is not None:
            parts = [part for item in wish["input"] for part in item.get("content", [])]
            pending = _Pending(texts=[part["text"] for part in parts if "text" in part])
        text = "\n".join(pending.texts)
        words = exact_words(wish.get("instructions", "")) or exact_words(text)
        reasons: list[tuple[object, Any]] = [
            (idle, "idle"),
            (words, "exact_words"),
            (pending.outputs, "tool_outputs"),
            (pending.ears, "speech"),
            (pending.texts, "text"),
            (not self._has_answered, "start"),
        ]
        return Heard(
            why=next((why for holds, why in reasons if holds), "asked"),
            audio_ms=pending.audio_ms,
            outputs=tuple(pending.outputs),
            text=text,
            words=words,
            tools=self._callable_tools(wish),
        )

    def _callable_tools(self, wish: Mapping[str, Any]) -> frozenset[str]:
        if wish.get("tool_choice", self.config["tool_choice"]) == "none":
            return frozenset()
        tools = wish.get("tools", self.config["tools"])
        return frozenset(tool["name"] for tool in tools if tool["type"] == "function")

    def _terms(self, wish: Mapping[str, Any]) -> Terms:
        output = {**self.config["audio"]["output"], **wish.get("audio", {}).get("output", {})}
        modalities = wish.get("output_modalities", self.config["output_modalities"])
        form = self._faults.echo_format or output["format"]["type"]
        shown = {
            "output_modalities": modalities,
            "max_output_tokens": wish.get("max_output_tokens", self.config["max_output_tokens"]),
            "audio": {"output": {"format": output["format"], "voice": output["voice"]}},
            "metadata": wish.get("metadata"),
        }
        return Terms(modalities[0], form, shown)


@dataclass(slots=True, eq=False)
class _Running:
    """A response and the task that plays it."""

    session: SandboxSession
    response: Response
    task: "asyncio.Task[None] | None" = None

    def cut(self, reason: Any) -> None:
        """Stop it where it is and send its end."""
        if self.task is not None:
            self.task.cancel()
        self.session.emit(*self.response.cut(reason))
        self.session._end(self)


def _rate_limits() -> Event:
    limits = [("requests", 5000, 4999, 0.012), ("tokens", 400000, 395000, 0.75)]
    names = ("name", "limit", "remaining", "reset_seconds")
    return {"type": "rate_limits.updated", "rate_limits": [dict(zip(names, limit, strict=True)) for limit in limits]}


def _new_id(kind: str) -> str:
    return f"{kind}_{uuid.uuid4().hex[:21]}"
