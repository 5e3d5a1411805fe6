"""What a session that takes a call over must know: the conversation so far, the agent's words as they were heard."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from app.call.events import CallEvent, Kind
from app.realtime.history import HistoryItem, Spoken, Told, ToolAnswered, ToolAsked

MOST_LETTERS = 60_000
"""So much of the conversation is restored, the newest of it: about 15,000 tokens, and each answer pays for them."""


@dataclass(slots=True)
class _Turn:
    speaker: Literal["caller", "agent"]
    item_id: str
    text: str = ""
    heard: str | None = None
    over: bool = False
    """Nothing about it changes any more."""

    @property
    def item(self) -> HistoryItem | None:
        words = self.text if self.heard is None else self.heard
        return Spoken(self.speaker, words) if words else None


class Memory:
    """The call's conversation in its order, told from the call's events and from what its sessions were sent.

    A turn has its place from the moment it began, whenever its words come.
    """

    def __init__(self, events: Iterable[CallEvent] = ()) -> None:
        self._entries: list[_Turn | HistoryItem] = []
        for event in events:
            self.add(event)

    @property
    def items(self) -> list[HistoryItem]:
        """All of it so far."""
        items = (entry.item if isinstance(entry, _Turn) else entry for entry in self._entries)
        return [item for item in items if item is not None]

    @property
    def settled(self) -> list[HistoryItem]:
        """The beginning of it that will not change any more."""
        items: list[HistoryItem] = []
        answered = {entry.call_id for entry in self._entries if isinstance(entry, ToolAnswered)}
        for entry in self._entries:
            if isinstance(entry, ToolAsked) and entry.call_id not in answered:
                break
            if not isinstance(entry, _Turn):
                items.append(entry)
            elif not entry.over:
                break
            elif item := entry.item:
                items.append(item)
        return items

    def told(self, text: str, role: Literal["user", "system"]) -> None:
        """The session was told something in writing."""
        self._entries.append(Spoken("caller", text) if role == "user" else Told(text))

    def answered(self, call_id: str, output: str) -> None:
        """The session was given a tool's output."""
        self._entries.append(ToolAnswered(call_id, output))

    def add(self, event: CallEvent) -> None:
        """Take one event in; those that are no part of the conversation change nothing."""
        if event.fleeting:
            return
        data = event.data
        match event.kind:
            case Kind.CALLER_SPEECH_STARTED:
                self._turn("caller", event)
            case Kind.CALLER_TRANSCRIPT:
                turn = self._turn("caller", event)
                turn.text, turn.over = data["text"], True
            case Kind.AGENT_SPEECH_STARTED:
                self._turn("agent", event)
            case Kind.AGENT_TRANSCRIPT:
                self._turn("agent", event).text = data["text"]
            case Kind.AGENT_INTERRUPTED:
                turn = self._turn("agent", event)
                turn.heard, turn.over = data["heard"], True
            case Kind.AGENT_SPEECH_ENDED:
                self._settle()
            case Kind.TOOL_CALLED:
                self._entries.append(ToolAsked(data["call_id"], data["name"], data["arguments"]))

    def _settle(self) -> None:
        """The agent has been heard to the end of what it said."""
        for entry in self._entries:
            if isinstance(entry, _Turn) and entry.speaker == "agent" and entry.text:
                entry.over = True

    def _turn(self, speaker: Literal["caller", "agent"], event: CallEvent) -> _Turn:
        """The turn of that item, begun now where there is none yet."""
        item_id = event.data.get("item_id", "")
        for entry in reversed(self._entries):
            if isinstance(entry, _Turn) and (entry.speaker, entry.item_id) == (speaker, item_id):
                if item_id or not entry.over:
                    return entry
                break
        turn = _Turn(speaker, item_id)
        self._entries.append(turn)
        return turn


def newest(items: Sequence[HistoryItem], most_letters: int = MOST_LETTERS) -> list[HistoryItem]:
    """The end of a conversation that is not longer than that; an output never stands without its call."""
    kept: list[HistoryItem] = []
    letters = 0
    for item in reversed(items):
        letters += _letters(item)
        if letters > most_letters and kept:
            break
        kept.append(item)
    kept.reverse()
    asked = {item.call_id for item in kept if isinstance(item, ToolAsked)}
    return [item for item in kept if not isinstance(item, ToolAnswered) or item.call_id in asked]


def _letters(item: HistoryItem) -> int:
    match item:
        case ToolAsked():
            return len(item.name) + len(item.arguments)
        case ToolAnswered():
            return len(item.output)
        case _:
            return len(item.text)
