"""The caller's audio on its way into the conversation: turns are noticed, committed, transcribed and answered."""

import asyncio
from typing import Literal

from app.audio import from_base64
from app.sandbox.openai.client_events import MAX_APPEND_BYTES
from app.sandbox.openai.conversation import Entry
from app.sandbox.openai.hearing import hear
from app.sandbox.openai.input_transcription import failed_transcription, transcription_events
from app.sandbox.openai.outbox import new_id
from app.sandbox.openai.refusal import Refusal
from app.sandbox.openai.responses import Responses
from app.sandbox.openai.sound import decode
from app.sandbox.openai.state import SessionState
from app.sandbox.openai.vad import Noticed

LEAST_COMMIT_MS = 100


class CallerAudio:
    """What a session does with the audio that is appended to it."""

    def __init__(self, state: SessionState, responses: Responses) -> None:
        self._state, self._responses = state, responses
        self._turn_id = ""

    def append(self, audio: str) -> bytes:
        """More audio in base64, and what voice activity makes of it; returns the raw audio."""
        try:
            sound = from_base64(audio)
        except ValueError:
            raise Refusal("invalid_value", "Invalid 'audio'. Expected base64-encoded audio bytes.", "audio") from None
        if len(sound) > MAX_APPEND_BYTES:
            raise Refusal("invalid_value", "Invalid 'audio': more than 15 MiB in one event.", "audio")
        for noticed in self._state.input.append(sound):
            self._notice(noticed)
        return sound

    def clear(self) -> None:
        """Drop what is not committed."""
        self._state.input.clear()
        self._state.outbox.emit({"type": "input_audio_buffer.cleared"})

    def commit(self) -> None:
        """Make an item of everything in the buffer, as the client asked."""
        buffer = self._state.input
        held_ms = buffer.now_ms - buffer.from_ms
        if held_ms < LEAST_COMMIT_MS:
            message = (
                "Error committing input audio buffer: buffer too small."
                f" Expected at least {LEAST_COMMIT_MS}ms of audio, but buffer only has {held_ms}.00ms of audio."
            )
            raise Refusal("input_audio_buffer_commit_empty", message)
        self._commit(new_id("item"), buffer.from_ms, buffer.now_ms)
        buffer.clear()

    def _notice(self, noticed: Noticed) -> None:
        emit = self._state.outbox.emit
        start, end = {"audio_start_ms": noticed.since_ms}, {"audio_end_ms": noticed.at_ms}
        if noticed.kind != "stopped":
            self._turn_id = new_id("item")
        turn = {"item_id": self._turn_id}
        match noticed.kind:
            case "started":
                emit({"type": "input_audio_buffer.speech_started", **start, **turn})
                if self._wants("interrupt_response"):
                    self._responses.interrupt()
                return
            case "stopped":
                emit({"type": "input_audio_buffer.speech_stopped", **end, **turn})
            case "idle":
                emit({"type": "input_audio_buffer.timeout_triggered", **start, **end, **turn})
        self._commit(self._turn_id, noticed.since_ms, noticed.at_ms)
        if self._wants("create_response") and not self._responses.active:
            self._responses.respond({}, idle=noticed.kind == "idle")

    def _wants(self, what: Literal["create_response", "interrupt_response"]) -> bool:
        return bool((self._state.config["audio"]["input"]["turn_detection"] or {}).get(what))

    def _commit(self, item_id: str, start_ms: int, end_ms: int) -> None:
        state = self._state
        form = state.input.form
        audio = state.input.take(start_ms, end_ms)
        item = {"id": item_id, "object": "realtime.item", "type": "message", "status": "completed", "role": "user"}
        entry = Entry(item | {"content": [{"type": "input_audio", "transcript": None}]}, audio, form)
        previous = state.conversation.insert(entry)
        state.outbox.emit({"type": "input_audio_buffer.committed", "item_id": item_id, "previous_item_id": previous})
        state.show_item(entry, previous)
        ears = state.tasks.create_task(asyncio.to_thread(hear, decode(audio, form)), name="ears")
        state.pending.ears, state.pending.audio_ms = ears, entry.audio_ms
        if transcription := state.config["audio"]["input"]["transcription"]:
            state.tasks.create_task(self._transcribe(entry, transcription["model"], ears), name="transcription")

    async def _transcribe(self, entry: Entry, model: str, ears: "asyncio.Task[str | None]") -> None:
        faults = self._state.faults
        if faults.late_transcription:
            await self._responses.wait_answered()
        phrase = await asyncio.shield(ears)
        if faults.transcription_failure is not None:
            self._state.outbox.emit(failed_transcription(entry, faults.transcription_failure))
            return
        self._state.outbox.emit(*transcription_events(entry, model, phrase))
