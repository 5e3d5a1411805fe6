"""A transcription that comes as server-sent events, gathered into the answer that it would have been as a whole."""

import codecs
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from app.openai.transcription_errors import Details

OnText = Callable[[str], None]
"""Told of words as they come."""


class EventStream:
    """Takes the bytes as they come, and gives the answer once it is whole."""

    def __init__(self, on_text: OnText | None = None) -> None:
        self._on_text = on_text
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._data: list[str] = []
        self._segments: list[dict[str, Any]] = []
        self._done: dict[str, Any] | None = None
        self.error: Details | None = None
        """What the other side said instead of going on."""

    @property
    def answer(self) -> dict[str, Any] | None:
        """The whole answer; None as long as the stream has not said that it is done."""
        if self._done is None:
            return None
        return self._done | ({"segments": self._segments} if self._segments else {})

    def feed(self, data: bytes, *, last: bool = False) -> None:
        """The next bytes; with `last`, the stream is over."""
        *lines, self._rest = (self._rest + self._decoder.decode(data, last)).replace("\r\n", "\n").split("\n")
        for line in [*lines, self._rest, ""] if last else lines:
            self._line(line)

    def _line(self, line: str) -> None:
        if line.startswith("data:"):
            self._data.append(line[5:].removeprefix(" "))
        elif not line and self._data:
            text, self._data = "\n".join(self._data), []
            for event in _object(text):
                self._take(event)

    def _take(self, event: dict[str, Any]) -> None:
        match event:
            case {"type": "transcript.text.delta", "delta": str(words)}:
                if self._on_text:
                    self._on_text(words)
            case {"type": "transcript.text.segment"}:
                self._segments.append(event)
            case {"type": "transcript.text.done"}:
                self._done = event
            case {"error": dict(error)} | ({"type": "error"} as error):
                self.error = msgspec.convert(_known(error), type=Details, strict=False)


def _object(text: str) -> Iterator[dict[str, Any]]:
    """The JSON object in an event's data; `[DONE]` and what else cannot be read is passed over."""
    try:
        event = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return
    if isinstance(event, dict):
        yield event


def _known(error: dict[str, Any]) -> dict[str, str]:
    return {name: str(error[name]) for name in ("message", "code", "param", "type") if error.get(name) is not None}
