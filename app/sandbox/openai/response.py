"""One response as the documented sequence of events, whole or cut short. Pure: who sends it waits between the steps."""

import base64
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from app.sandbox.openai.brain import CallTool, Reply, Say
from app.sandbox.openai.conversation import Conversation, Entry, Event, Tokens
from app.sandbox.openai.sound import BYTES_PER_MS, Format, encode, synthetic
from app.sandbox.voices.clips import clip

DELTA_BYTES = (1600, 2404, 3200, 2001)
"""The usual lengths of audio deltas (at 8 bytes a millisecond), over and over; real ones are no whole frames either."""
ARGUMENT_PIECES = 3

NewId = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Step:
    """Events to send at once, and how much pretended time passes after them."""

    events: list[Event]
    then_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Terms:
    """What a response has been asked to be like."""

    modality: Literal["audio", "text"]
    form: Format
    shown: dict[str, Any]
    """The fields of the response that repeat the configuration."""


class Response:
    """A response under way. Only one step's events may be unsent when it is cut."""

    def __init__(self, terms: Terms, conversation: Conversation, new_id: NewId, *, conversation_id: str | None) -> None:
        self.id = new_id("resp")
        self.audio_ms = 0
        self._terms = terms
        self._conversation = conversation
        self._conversation_id = conversation_id
        self._new_id = new_id
        self._input = Tokens.of(conversation)
        self._output: list[Entry] = []
        self._open: _Spoken | _Called | None = None

    def start(self) -> Event:
        """`response.created`."""
        return {"type": "response.created", "response": self._resource("in_progress")}

    def steps(self, reply: Reply) -> Iterator[Step]:
        """Everything between `response.created` and `response.done`."""
        yield Step([], reply.think_ms)
        for part in reply.parts:
            if isinstance(part, CallTool):
                yield from self._call(part)
            elif self._terms.modality == "text":
                yield from self._write(part)
            else:
                yield from self._speak(part, reply)

    def finish(self, failure: str | None = None) -> list[Event]:
        """The end of a response that was not interrupted."""
        if failure is None:
            return [self._done("completed", None)]
        error = {"type": "server_error", "code": failure, "message": f"The response failed: {failure}."}
        return [self._done("failed", {"type": "failed", "error": error})]

    def cut(self, reason: Literal["turn_detected", "client_cancelled"]) -> list[Event]:
        """The end of a response that was interrupted: the open item is closed as it stands."""
        closing = self._close("incomplete") if self._open else []
        return [*closing, self._done("cancelled", {"type": "cancelled", "reason": reason})]

    def _speak(self, say: Say, reply: Reply) -> Iterator[Step]:
        entry = self._message()
        spoken = self._open = _Spoken(entry, "audio")
        entry.form = self._terms.form
        yield Step(self._announce(entry, {"type": "audio", "transcript": ""}))
        sound = encode(clip(say.phrase_id) if say.phrase_id else synthetic(say.audio_ms), self._terms.form)
        words = re.findall(r"\S+\s*", say.text)
        told = 0
        for piece, share in _pieces(sound, BYTES_PER_MS[self._terms.form], reply.chunk_ms):
            ahead = min(len(words), int(2 * share * len(words)) + 1)
            text, told = "".join(words[told:ahead]), max(told, ahead)
            spoken.text += text
            entry.audio += piece
            piece_ms = len(piece) / BYTES_PER_MS[self._terms.form]
            self.audio_ms += int(piece_ms)
            events = [self._part("response.output_audio_transcript.delta", delta=text)] if text else []
            delta = base64.b64encode(piece).decode()
            events.append(self._part("response.output_audio.delta", delta=delta))
            yield Step(events, piece_ms / reply.pace)
        spoken.text = say.text
        yield Step(self._close("completed"))

    def _write(self, say: Say) -> Iterator[Step]:
        entry = self._message()
        spoken = self._open = _Spoken(entry, "text")
        yield Step(self._announce(entry, {"type": "text", "text": ""}))
        for word in re.findall(r"\S+\s*", say.text):
            spoken.text += word
            yield Step([self._part("response.output_text.delta", delta=word)], 10)
        yield Step(self._close("completed"))

    def _call(self, call: CallTool) -> Iterator[Step]:
        item = self._item("fc") | {"type": "function_call", "name": call.name, "arguments": ""}
        entry = Entry(item | {"call_id": self._new_id("call")})
        called = self._open = _Called(entry)
        yield Step(self._announce(entry, None))
        size = max(1, -(-len(call.arguments) // ARGUMENT_PIECES))
        for start in range(0, len(call.arguments), size):
            piece = call.arguments[start : start + size]
            called.arguments += piece
            yield Step([self._argument("delta", delta=piece)], 10)
        yield Step(self._close("completed"))

    def _message(self) -> Entry:
        return Entry(self._item("item") | {"type": "message", "role": "assistant", "content": []})

    def _item(self, kind: str) -> dict[str, Any]:
        return {"id": self._new_id(kind), "object": "realtime.item", "status": "in_progress"}

    def _announce(self, entry: Entry, part: dict[str, Any] | None) -> list[Event]:
        self._output.append(entry)
        previous = self._conversation.insert(entry)
        events = [
            self._of_response("response.output_item.added", item=entry.item),
            *self._of_conversation("conversation.item.added", entry, previous),
        ]
        return [*events, self._part("response.content_part.added", part=part)] if part else events

    def _close(self, status: Literal["completed", "incomplete"]) -> list[Event]:
        item = self._open
        assert item is not None  # noqa: S101 - both callers have just seen it
        events = self._close_call(item) if isinstance(item, _Called) else self._close_words(item)
        entry = item.entry
        entry.item["status"] = status
        previous = self._conversation.before(entry.item["id"])
        events += self._of_conversation("conversation.item.done", entry, previous)
        events.append(self._of_response("response.output_item.done", item=entry.item))
        self._open = None
        return events

    def _close_call(self, called: "_Called") -> list[Event]:
        called.entry.item["arguments"] = called.arguments
        return [self._argument("done", name=called.entry.item["name"], arguments=called.arguments)]

    def _close_words(self, spoken: "_Spoken") -> list[Event]:
        if spoken.kind == "text":
            spoken.entry.item["content"] = [{"type": "output_text", "text": spoken.text}]
            done = [self._part("response.output_text.done", text=spoken.text)]
            part = {"type": "text", "text": spoken.text}
        else:
            spoken.entry.item["content"] = [{"type": "output_audio", "transcript": spoken.text}]
            done = [
                self._part("response.output_audio.done"),
                self._part("response.output_audio_transcript.done", transcript=spoken.text),
            ]
            part = {"type": "audio", "transcript": spoken.text}
        return [*done, self._part("response.content_part.done", part=part)]

    def _of_response(self, kind: str, **fields: Any) -> Event:
        fields = {name: dict(value) if isinstance(value, dict) else value for name, value in fields.items()}
        return {"type": kind, "response_id": self.id, "output_index": len(self._output) - 1, **fields}

    def _of_item(self, kind: str, **fields: Any) -> Event:
        return self._of_response(kind, item_id=self._output[-1].item["id"], **fields)

    def _part(self, kind: str, **fields: Any) -> Event:
        return self._of_item(kind, content_index=0, **fields)

    def _argument(self, kind: str, **fields: Any) -> Event:
        call_id = self._output[-1].item["call_id"]
        return self._of_item(f"response.function_call_arguments.{kind}", call_id=call_id, **fields)

    def _of_conversation(self, kind: str, entry: Entry, previous: str | None) -> list[Event]:
        if self._conversation_id is None:
            return []
        return [{"type": kind, "previous_item_id": previous, "item": dict(entry.item)}]

    def _done(self, status: str, details: dict[str, Any] | None) -> Event:
        response = self._resource(status) | {"status_details": details, "usage": self._usage()}
        return {"type": "response.done", "response": response}

    def _resource(self, status: str) -> dict[str, Any]:
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": status,
            "status_details": None,
            "output": [dict(entry.item) for entry in self._output],
            "conversation_id": self._conversation_id,
            "usage": None,
            **self._terms.shown,
        }

    def _usage(self) -> dict[str, Any]:
        given, made = self._input, Tokens.of(self._output)
        cached = {"text_tokens": given.text // 2, "audio_tokens": given.audio // 2, "image_tokens": 0}
        details = {"text_tokens": given.text, "audio_tokens": given.audio, "image_tokens": 0}
        return {
            "total_tokens": given.text + given.audio + made.text + made.audio,
            "input_tokens": given.text + given.audio,
            "output_tokens": made.text + made.audio,
            "input_token_details": {
                **details,
                "cached_tokens": sum(cached.values()),
                "cached_tokens_details": cached,
            },
            "output_token_details": {"text_tokens": made.text, "audio_tokens": made.audio},
        }


@dataclass(slots=True)
class _Spoken:
    """The message that is being spoken or written, as far as it has come."""

    entry: Entry
    kind: Literal["audio", "text"]
    text: str = ""


@dataclass(slots=True)
class _Called:
    """The function call that is being made, as far as it has come."""

    entry: Entry
    arguments: str = ""


def _pieces(sound: bytes, bytes_per_ms: int, chunk_ms: float | None) -> Iterator[tuple[bytes, float]]:
    """The sound in deltas, each with the share of the whole that it ends at."""
    scale = bytes_per_ms // 8
    sizes = itertools.cycle(DELTA_BYTES if chunk_ms is None else (int(chunk_ms * 8),))
    start = 0
    while start < len(sound):
        piece = sound[start : start + next(sizes) * scale]
        start += len(piece)
        yield piece, start / len(sound)
