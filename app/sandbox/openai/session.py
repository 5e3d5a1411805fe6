"""One realtime session: client events in, server events out, with the voice activity of what it is given to hear."""

import asyncio
import time
import uuid
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from app.audio import from_base64
from app.sandbox.openai import client_events as client
from app.sandbox.openai.brain import Brain, Heard, ToolOutput
from app.sandbox.openai.conversation import Conversation, Entry, Event
from app.sandbox.openai.faults import NO_FAULTS, Faults
from app.sandbox.openai.hearing import hear
from app.sandbox.openai.input_audio import InputAudio
from app.sandbox.openai.observed import Observed
from app.sandbox.openai.pending import Pending, Wish, own_input, terms, what_was_heard
from app.sandbox.openai.refusal import Refusal, error_event
from app.sandbox.openai.response import Response
from app.sandbox.openai.session_config import Config, default_config, holds, updated, with_format
from app.sandbox.openai.sound import decode
from app.sandbox.openai.vad import Noticed
from app.sandbox.voices.clips import text_of

SESSION_SECONDS = 3600
LEAST_COMMIT_MS = 100


class Tasks(Protocol):
    """Where a session starts its tasks; whoever gave it ends them."""

    def create_task(self, work: Coroutine[Any, Any, Any], *, name: str | None = None) -> asyncio.Task[Any]:
        """Start one."""


@dataclass(frozen=True, slots=True)
class Close:
    """The socket's end, as the server wants it."""

    code: int = 1000
    reason: str = ""


Outgoing = Event | str | Close
"""An event; a raw frame; the end."""


class SandboxSession(Observed):
    """A session as the server sees it: `receive` takes the client's frames, `outbox` holds what is to be sent."""

    def __init__(
        self, model: str, brain: Brain, tasks: Tasks, *, speed: float = 1.0, faults: Faults = NO_FAULTS
    ) -> None:
        super().__init__()
        self.id = _new_id("sess")
        self.config: Config = default_config(model)
        self.conversation = Conversation()
        self.outbox: asyncio.Queue[Outgoing] = asyncio.Queue()
        self._brain, self._tasks, self._speed, self._faults = brain, tasks, speed, faults
        self._conversation_id = _new_id("conv")
        self._expires_at = int(time.time()) + SESSION_SECONDS
        self._input = InputAudio(self.config)
        self._turn_id = ""
        self._pending = Pending()
        self._running: dict[str, _Running] = {}
        self._active: _Running | None = None
        self._has_answered = False
        self._has_spoken = False

    def emit(self, *events: Outgoing) -> None:
        """Send these to the client, after everything sent before."""
        for event in events:
            numbered = {"event_id": _new_id("event"), **event} if isinstance(event, dict) else event
            self.outbox.put_nowait(numbered)

    def close(self, code: int = 1000, reason: str = "") -> None:
        """End the session from the server's side; 1006 cuts the connection."""
        self.emit(Close(code, reason))

    def open(self) -> None:
        """Say what the server says first."""
        conversation = {"id": self._conversation_id, "object": "realtime.conversation"}
        self.emit({"type": "session.created", "session": self._shown()})
        self.emit({"type": "conversation.created", "conversation": conversation})

    def receive(self, text: str) -> None:
        """Act on one frame of the client's."""
        event_id = None
        try:
            given = client.parse(text)
            self.received.append(given)
            event_id = given.get("event_id") if isinstance(given.get("event_id"), str) else None
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
                self._input.clear()
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

    # Configuration

    def _update(self, update: Mapping[str, Any]) -> None:
        faults = self._faults
        if faults.refuse_update is not None and holds(update, faults.refuse_param):
            param = faults.refuse_param or "session"
            raise Refusal(faults.refuse_update, "This session.update is refused on purpose.", param)
        config = updated(self.config, update, has_spoken=self._has_spoken)
        if faults.override:
            config = updated(config, faults.override, has_spoken=False)
        self.config = with_format(config, faults.echo_format) if faults.echo_format else config
        self._input.configure(self.config)
        self.emit({"type": "session.updated", "session": self._shown()})

    def _shown(self) -> dict[str, Any]:
        return {"object": "realtime.session", "id": self.id, "expires_at": self._expires_at, **self.config}

    # The caller's audio

    def _append(self, audio: str) -> None:
        try:
            sound = from_base64(audio)
        except ValueError:
            raise Refusal("invalid_value", "Invalid 'audio'. Expected base64-encoded audio bytes.", "audio") from None
        if len(sound) > client.MAX_APPEND_BYTES:
            raise Refusal("invalid_value", "Invalid 'audio': more than 15 MiB in one event.", "audio")
        self.caller_audio += sound
        for noticed in self._input.append(sound):
            self._notice(noticed)

    def _notice(self, noticed: Noticed) -> None:
        start, end = {"audio_start_ms": noticed.since_ms}, {"audio_end_ms": noticed.at_ms}
        if noticed.kind != "stopped":
            self._turn_id = _new_id("item")
        turn = {"item_id": self._turn_id}
        match noticed.kind:
            case "started":
                self.emit({"type": "input_audio_buffer.speech_started", **start, **turn})
                if self._wants("interrupt_response") and self._active:
                    self._cut(self._active, "turn_detected")
                return
            case "stopped":
                self.emit({"type": "input_audio_buffer.speech_stopped", **end, **turn})
            case "idle":
                self.emit({"type": "input_audio_buffer.timeout_triggered", **start, **end, **turn})
        self._commit(self._turn_id, noticed.since_ms, noticed.at_ms)
        if self._wants("create_response") and self._active is None:
            self._respond({}, idle=noticed.kind == "idle")

    def _wants(self, what: Literal["create_response", "interrupt_response"]) -> bool:
        return bool((self.config["audio"]["input"]["turn_detection"] or {}).get(what))

    def _commit_by_hand(self) -> None:
        held_ms = self._input.now_ms - self._input.from_ms
        if held_ms < LEAST_COMMIT_MS:
            message = (
                "Error committing input audio buffer: buffer too small."
                f" Expected at least {LEAST_COMMIT_MS}ms of audio, but buffer only has {held_ms}.00ms of audio."
            )
            raise Refusal("input_audio_buffer_commit_empty", message)
        self._commit(_new_id("item"), self._input.from_ms, self._input.now_ms)
        self._input.clear()

    def _commit(self, item_id: str, start_ms: int, end_ms: int) -> None:
        form = self._input.form
        audio = self._input.take(start_ms, end_ms)
        item = {"id": item_id, "object": "realtime.item", "type": "message", "status": "completed", "role": "user"}
        entry = Entry(item | {"content": [{"type": "input_audio", "transcript": None}]}, audio, form)
        previous = self.conversation.insert(entry)
        self.emit({"type": "input_audio_buffer.committed", "item_id": item_id, "previous_item_id": previous})
        self._show_item(entry, previous)
        ears = self._tasks.create_task(asyncio.to_thread(hear, decode(audio, form)), name="ears")
        self._pending.ears, self._pending.audio_ms = ears, entry.audio_ms
        if transcription := self.config["audio"]["input"]["transcription"]:
            self._tasks.create_task(self._transcribe(entry, transcription["model"], ears), name="transcription")

    async def _transcribe(self, entry: Entry, model: str, ears: "asyncio.Task[str | None]") -> None:
        phrase = await asyncio.shield(ears)
        transcript = text_of(phrase) if phrase else ""
        entry.item = entry.item | {"content": [{"type": "input_audio", "transcript": transcript}]}
        about = {"item_id": entry.item["id"], "content_index": 0}
        if transcript:
            self.emit({"type": "conversation.item.input_audio_transcription.delta", **about, "delta": transcript})
        done: dict[str, Any] = {
            "transcript": transcript,
            "usage": {"type": "duration", "seconds": entry.audio_ms / 1000},
        }
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
            self.emit({"type": f"conversation.item.{kind}", "previous_item_id": previous, "item": dict(entry.item)})

    # Responses

    def _create_response(self, wish: Wish) -> None:
        if wish.get("conversation") != "none" and self._active is not None:
            message = (
                f"Conversation already has an active response in progress: {self._active.response.id}."
                " Wait until the response is finished before creating a new one."
            )
            raise Refusal("conversation_already_has_active_response", message)
        self._respond(wish)

    def _cancel(self, response_id: str | None) -> None:
        running = self._active if response_id is None else self._running.get(response_id)
        if running is None:
            raise Refusal("response_cancel_not_active", "Cancellation failed: no active response found.")
        self._cut(running, "client_cancelled")

    def _respond(self, wish: Wish, *, idle: bool = False) -> None:
        if "input" in wish:
            pending = own_input(wish)
        else:
            pending, self._pending = self._pending, Pending()
        heard = what_was_heard(pending, self.config, wish, idle=idle, first=not self._has_answered)
        apart = wish.get("conversation") == "none"
        response = Response(
            terms(self.config, wish, self._faults.echo_format),
            Conversation() if apart else self.conversation,
            _new_id,
            conversation_id=None if apart else self._conversation_id,
        )
        self.emit(response.start(), _rate_limits())
        task = self._tasks.create_task(self._play(response, heard, pending.ears), name="response")
        self._running[response.id] = _Running(response, task)
        if not apart:
            self._active, self._has_answered = self._running[response.id], True
            self._input.wait_from(None)

    async def _play(self, response: Response, heard: Heard, ears: "asyncio.Task[str | None] | None") -> None:
        if ears is not None:
            heard = replace(heard, phrase=await asyncio.shield(ears))
        reply = self._brain.answer(heard)
        began_ms = self._input.now_ms
        for step in response.steps(reply):
            self.emit(*step.events)
            self._has_spoken = self._has_spoken or response.audio_ms > 0
            if step.then_ms:
                await asyncio.sleep(step.then_ms / 1000 / self._speed)
        self.emit(*response.finish(reply.failure))
        self._end(response, played_until_ms=began_ms + response.audio_ms)

    def _cut(self, running: "_Running", reason: Literal["turn_detected", "client_cancelled"]) -> None:
        running.task.cancel()
        self.emit(*running.response.cut(reason))
        self._end(running.response)

    def _end(self, response: Response, *, played_until_ms: int = 0) -> None:
        running = self._running.pop(response.id)
        if self._active is running:
            self._active = None
            self._input.wait_from(max(self._input.now_ms, played_until_ms))


@dataclass(frozen=True, slots=True, eq=False)
class _Running:
    """A response and the task that plays it."""

    response: Response
    task: "asyncio.Task[None]"


def _rate_limits() -> Event:
    limits = [("requests", 5000, 4999, 0.012), ("tokens", 400000, 395000, 0.75)]
    names = ("name", "limit", "remaining", "reset_seconds")
    return {"type": "rate_limits.updated", "rate_limits": [dict(zip(names, limit, strict=True)) for limit in limits]}


def _new_id(kind: str) -> str:
    return f"{kind}_{uuid.uuid4().hex[:21]}"
