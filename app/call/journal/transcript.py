"""The call as people read it: turns in the order they were spoken, what was said and what was heard."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from app.call.events import CallEvent, Kind

WHOLE = frozenset({Kind.CALLER_TRANSCRIPT, Kind.AGENT_TRANSCRIPT})
"""What tells a turn's words, once they are written down."""


@dataclass(slots=True)
class Turn:
    """One speaker's time to speak. Times are milliseconds since the stream's start."""

    speaker: Literal["caller", "agent"]
    at_ms: int
    item_id: str = ""
    until_ms: int | None = None
    said: str = ""
    heard: str | None = None
    """Of an agent's turn that the caller cut: the words that were heard, by our estimate."""
    heard_ms: int | None = None
    latency: dict[str, int] | None = None
    """Of an agent's turn: from the end of the caller's speech, as the model told us, to the model's first audio
    (`first_delta_ms`), our first frame (`first_frame_ms`) and its return as heard (`first_mark_ms`)."""


class Transcript:
    """Turns, told from a call's events: live, or from its journal afterwards."""

    def __init__(self, events: Iterable[CallEvent] = ()) -> None:
        self._turns: list[Turn] = []
        for event in events:
            self.add(event)

    @property
    def turns(self) -> list[Turn]:
        """The turns so far, in the order they were spoken."""
        return sorted(self._turns, key=lambda turn: turn.at_ms)

    def as_json(self) -> list[dict[str, Any]]:
        """The turns as plain values."""
        return [asdict(turn) for turn in self.turns]

    def add(self, event: CallEvent) -> None:
        """Take one event in; those that are no speech change nothing."""
        data = event.data
        match event.kind:
            case Kind.CALLER_SPEECH_STARTED:
                self._turn("caller", event)
            case Kind.CALLER_SPEECH_ENDED:
                self._turn("caller", event).until_ms = event.at_ms
            case Kind.CALLER_TRANSCRIPT:
                self._turn("caller", event).said = data["text"]
            case Kind.CALLER_DTMF:
                self._turns.append(Turn("caller", event.at_ms, until_ms=event.at_ms, said=f"[key {data['digit']}]"))
            case Kind.AGENT_SPEECH_STARTED:
                self._turn("agent", event).at_ms = event.at_ms
            case Kind.ANSWER_LATENCY:
                self._turn("agent", event).latency = data["latency"]
            case Kind.AGENT_TRANSCRIPT:
                self._turn("agent", event).said = data["text"]
            case Kind.AGENT_INTERRUPTED:
                turn = self._turn("agent", event)
                turn.said = turn.said or data["said"]
                turn.heard, turn.heard_ms = data["heard"], data["heard_ms"]
            case Kind.AGENT_SPEECH_ENDED:
                for turn in self._turns:
                    if turn.speaker == "agent" and turn.until_ms is None:
                        turn.until_ms = event.at_ms

    def _turn(self, speaker: Literal["caller", "agent"], event: CallEvent) -> Turn:
        """The turn of that item, begun now where there is none yet; without items, one that has its words is done."""
        item_id = event.data.get("item_id", "")
        for turn in reversed(self._turns):
            open_still = turn.until_ms is None and not (turn.said and event.kind in WHOLE)
            if turn.speaker == speaker and turn.item_id == item_id and (item_id or open_still):
                return turn
        self._turns.append(Turn(speaker, event.at_ms, item_id))
        return self._turns[-1]


def heard_words(said: str, heard_ms: int, sent_ms: int) -> str:
    """The words of `said` that fit into the part that was heard, taking speech as even."""
    words = said.split()
    share = min(heard_ms / sent_ms, 1.0) if sent_ms else 0.0
    return " ".join(words[: int(len(words) * share)])


def spoken_words(said: str, ms: int, ms_a_letter: float) -> str:
    """The words of `said` that take no longer than that at such a pace; for words that run ahead of their audio."""
    kept: list[str] = []
    for word in said.split():
        if (len(" ".join(kept)) + len(word)) * ms_a_letter > ms:
            break
        kept.append(word)
    return " ".join(kept)
