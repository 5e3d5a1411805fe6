"""Who decides what the sandbox's agent says: the seam that scripts and stories plug into."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from app.sandbox.voices.clips import clip, phrase_with, text_of

Why = Literal["start", "speech", "tool_outputs", "text", "exact_words", "idle", "asked"]


@dataclass(frozen=True, slots=True)
class ToolOutput:
    """What came of a tool call: the client's answer, or an MCP server's."""

    call_id: str
    name: str
    arguments: str
    output: str


@dataclass(frozen=True, slots=True)
class Heard:
    """Everything that reached the session since its last response, and what the new one is mainly about."""

    why: Why
    phrase: str | None = None
    """The caller phrase that the ears made out; None when there was none or they could not tell."""
    audio_ms: int = 0
    outputs: tuple[ToolOutput, ...] = ()
    text: str = ""
    words: str = ""
    """With `exact_words`: what to say."""
    images: tuple[str, ...] = ()
    """The images that were shown, as data URLs."""
    instructions: str = ""
    """Those of the response, or else of the session."""
    tools: frozenset[str] = frozenset()
    """The names of the functions that may be called."""


@dataclass(frozen=True, slots=True)
class Say:
    """Speak a text: with the clip of that phrase, or with a hum of `audio_ms`."""

    text: str
    phrase_id: str | None = None
    audio_ms: int = 0

    @classmethod
    def phrase(cls, phrase_id: str) -> "Say":
        """A phrase that has a clip."""
        return cls(text_of(phrase_id), phrase_id, len(clip(phrase_id)) // 8)

    @classmethod
    def words(cls, text: str, audio_ms: int | None = None) -> "Say":
        """Any words; without a length, as long as they would take."""
        known = phrase_with(text) if audio_ms is None else None
        return cls.phrase(known) if known else cls(text, None, 65 * len(text) if audio_ms is None else audio_ms)


@dataclass(frozen=True, slots=True)
class CallTool:
    """Call a function of the client's; the arguments are JSON text, broken if the test wants so."""

    name: str
    arguments: str = "{}"


@dataclass(frozen=True, slots=True)
class CallMcp:
    """Call a tool of an MCP server, which the API does by itself, once it is approved where that is asked for."""

    server_label: str
    name: str
    arguments: str = "{}"
    output: str = ""
    """What the server answers."""
    error: Mapping[str, Any] | None = None
    """What goes wrong instead, like `{"type": "http_error", "code": 502, "message": "…"}`."""


Part = Say | CallTool | CallMcp


@dataclass(frozen=True, slots=True)
class Reply:
    """One response: its parts in order, and how it is delivered."""

    parts: tuple[Part, ...] = ()
    pace: float = 8.0
    """How much faster than real time the audio comes."""
    chunk_ms: float | None = None
    """The length of one audio delta; by default a mix of lengths, few of them whole frames."""
    think_ms: int = 0
    """How long the model thinks before its first part."""
    transcript: Literal["beside", "before", "after"] = "beside"
    """Where the transcript comes in relation to the audio it belongs to."""
    failure: str | None = None
    """With an error code the response fails after its parts."""
    incomplete: Literal["max_output_tokens", "content_filter"] | None = None
    """With a reason the response and its last item end incomplete."""

    @classmethod
    def of(cls, *parts: Part) -> "Reply":
        """A reply of these parts with the usual delivery."""
        return cls(parts)


class Brain(Protocol):
    """Decides each response of a session."""

    def answer(self, heard: Heard) -> Reply:
        """What the agent does next."""


class ScriptedBrain:
    """Gives the replies of a list, one after the other, whatever it hears; it says nothing when they run out."""

    def __init__(self, replies: Iterable[Reply]) -> None:
        self._replies: Iterator[Reply] = iter(replies)
        self.heard: list[Heard] = []

    def answer(self, heard: Heard) -> Reply:
        """The next reply of the list."""
        self.heard.append(heard)
        return next(self._replies, Reply())


_EXACT = re.compile(r"\bsay exactly[^:\n]*[:\n]\s*(?P<words>.+)", re.IGNORECASE | re.DOTALL)


def exact_words(text: str) -> str:
    """What somebody asks to be said word for word, like "Say exactly these words: …"; empty when nobody does."""
    wish = _EXACT.search(text)
    return wish["words"].strip().strip("\"“”'").strip() if wish else ""
