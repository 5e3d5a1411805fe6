"""The items a response can make, each with its own sequence of events; the response adds what all have in common."""

import base64
import itertools
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from app.sandbox.openai.brain import CallTool, Reply, Say
from app.sandbox.openai.conversation import Entry
from app.sandbox.openai.outbox import Event, new_id
from app.sandbox.openai.sound import BYTES_PER_MS, Format, encode, synthetic
from app.sandbox.voices.clips import clip

DELTA_BYTES = (1600, 2404, 3200, 2001)
"""The usual lengths of audio deltas (at 8 bytes a millisecond), over and over; real ones are no whole frames either."""
ARGUMENT_PIECES = 3
PIECE_MS = 10
_NEW = {"object": "realtime.item", "status": "in_progress"}


@dataclass(frozen=True, slots=True)
class Step:
    """Events to send at once, and how much pretended time passes after them."""

    events: list[Event] = field(default_factory=list)
    then_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where in its response an item is."""

    response_id: str
    output_index: int


class Output(ABC):
    """One item of a response while it is being made."""

    def __init__(self, place: Place, kind: str, **item: Any) -> None:
        self.place = place
        self.entry = Entry({"id": new_id(kind), **item})

    def opening(self) -> list[Event]:
        """What follows the item's own announcement."""
        return []

    @abstractmethod
    def steps(self) -> Iterator[Step]:
        """Everything between the item's beginning and its end."""

    def closing(self) -> list[Event]:
        """What comes before the item is done, whole or as far as it has come; the item then says the same."""
        return []

    def _event(self, kind: str, **fields: Any) -> Event:
        place = self.place
        about = {"response_id": place.response_id, "output_index": place.output_index, "item_id": self.entry.item["id"]}
        return {"type": kind, **about, **fields}


class Spoken(Output):
    """A message that is spoken."""

    def __init__(self, place: Place, say: Say, reply: Reply, form: Format) -> None:
        super().__init__(place, "item", **_NEW, type="message", role="assistant", content=[])
        self.entry.form = form
        self._say, self._reply = say, reply
        self._text = ""

    def opening(self) -> list[Event]:
        """The part that is to be spoken."""
        return [self._part("response.content_part.added", part={"type": "audio", "transcript": ""})]

    def steps(self) -> Iterator[Step]:
        """The audio in deltas, and the transcript where the reply wants it."""
        reply = self._reply
        words = re.findall(r"\S+\s*", self._say.text)
        if reply.transcript == "before":
            yield Step([self._words(word) for word in words], PIECE_MS)
        told = 0
        for piece, share in self._pieces():
            self.entry.audio += piece
            piece_ms = len(piece) / BYTES_PER_MS[self.entry.form]
            events = [self._part("response.output_audio.delta", delta=base64.b64encode(piece).decode())]
            if reply.transcript == "beside":  # it runs ahead of the audio
                ahead = min(len(words), int(2 * share * len(words)) + 1)
                text, told = "".join(words[told:ahead]), max(told, ahead)
                events = [self._words(text), *events] if text else events
            yield Step(events, piece_ms / reply.pace)
        if reply.transcript == "after":
            yield Step([self._words(word) for word in words], PIECE_MS)
        self._text = self._say.text

    def closing(self) -> list[Event]:
        """The end of the audio, of the transcript and of the part."""
        self.entry.item["content"] = [{"type": "output_audio", "transcript": self._text}]
        return [
            self._part("response.output_audio.done"),
            self._part("response.output_audio_transcript.done", transcript=self._text),
            self._part("response.content_part.done", part={"type": "audio", "transcript": self._text}),
        ]

    def _words(self, text: str) -> Event:
        self._text += text
        return self._part("response.output_audio_transcript.delta", delta=text)

    def _part(self, kind: str, **fields: Any) -> Event:
        return self._event(kind, content_index=0, **fields)

    def _pieces(self) -> Iterator[tuple[bytes, float]]:
        """The sound in deltas, each with the share of the whole that it ends at."""
        say, form = self._say, self.entry.form
        sound = encode(clip(say.phrase_id) if say.phrase_id else synthetic(say.audio_ms), form)
        scale = BYTES_PER_MS[form] // 8
        chunk_ms = self._reply.chunk_ms
        sizes = itertools.cycle(DELTA_BYTES if chunk_ms is None else (int(chunk_ms * 8),))
        start = 0
        while start < len(sound):
            piece = sound[start : start + next(sizes) * scale]
            start += len(piece)
            yield piece, start / len(sound)


class Written(Output):
    """A message that is written."""

    def __init__(self, place: Place, say: Say) -> None:
        super().__init__(place, "item", **_NEW, type="message", role="assistant", content=[])
        self._say = say
        self._text = ""

    def opening(self) -> list[Event]:
        """The part that is to be written."""
        return [self._part("response.content_part.added", part={"type": "text", "text": ""})]

    def steps(self) -> Iterator[Step]:
        """The text, word by word."""
        for word in re.findall(r"\S+\s*", self._say.text):
            self._text += word
            yield Step([self._part("response.output_text.delta", delta=word)], PIECE_MS)

    def closing(self) -> list[Event]:
        """The end of the text and of the part."""
        self.entry.item["content"] = [{"type": "output_text", "text": self._text}]
        return [
            self._part("response.output_text.done", text=self._text),
            self._part("response.content_part.done", part={"type": "text", "text": self._text}),
        ]

    def _part(self, kind: str, **fields: Any) -> Event:
        return self._event(kind, content_index=0, **fields)


class Called(Output):
    """A function call, which the client will answer."""

    def __init__(self, place: Place, call: CallTool) -> None:
        super().__init__(
            place, "fc", **_NEW, type="function_call", name=call.name, call_id=new_id("call"), arguments=""
        )
        self._call = call
        self._arguments = ""

    def steps(self) -> Iterator[Step]:
        """The arguments in pieces."""
        for piece in pieces_of(self._call.arguments):
            self._arguments += piece
            yield Step([self._argument("delta", delta=piece)], PIECE_MS)

    def closing(self) -> list[Event]:
        """The arguments as far as they have come."""
        item = self.entry.item
        item["arguments"] = self._arguments
        return [self._argument("done", name=item["name"], arguments=self._arguments)]

    def _argument(self, kind: str, **fields: Any) -> Event:
        return self._event(f"response.function_call_arguments.{kind}", call_id=self.entry.item["call_id"], **fields)


def pieces_of(arguments: str) -> list[str]:
    """The JSON text of a call's arguments in a few pieces."""
    size = max(1, -(-len(arguments) // ARGUMENT_PIECES))
    return [arguments[start : start + size] for start in range(0, len(arguments), size)]
