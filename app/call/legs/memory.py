"""What a session that takes a call over must know: the conversation so far, the agent's words as they were heard."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from app.call.events import CallEvent, Kind
from app.call.journal.transcript import WHOLE
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


@dataclass(slots=True)
class _Output:
    item: ToolAnswered
    given: bool = False
    """Whether a session got it."""


class Memory:
    """The call's conversation in its order, told from the call's events and from what its sessions were sent.

    A turn has its place from the moment it began, whenever its words come; an output counts once a session got it.
    """

    def __init__(self, events: Iterable[CallEvent] = ()) -> None:
        self._entries: list[_Turn | _Output | HistoryItem] = []
        for event in events:
            self.add(event)

    @property
    def items(self) -> list[HistoryItem]:
        """All of it so far."""
        return [item for item in map(_item, self._entries) if item is not None]

    @property
    def settled(self) -> list[HistoryItem]:
        """The beginning of it that will not change any more."""
        items: list[HistoryItem] = []
        for entry in self._entries:
            if self._is_open(entry):
                break
            if item := _item(entry):
                items.append(item)
        return items

    @property
    def written(self) -> bool:
        """Whether the words of what each of them said last are there."""
        last = {entry.speaker: entry for entry in self._entries if isinstance(entry, _Turn)}
        return all(turn.over for turn in last.values())

    def _is_open(self, entry: _Turn | _Output | HistoryItem) -> bool:
        match entry:
            case _Turn():
                return not entry.over
            case _Output():
                return not entry.given
            case ToolAsked(call_id):
                return not any(isinstance(each, _Output) and each.item.call_id == call_id for each in self._entries)
            case _:
                return False

    def told(self, text: str, role: Literal["user", "system"]) -> None:
        """The session was told something in writing."""
        self._entries.append(Spoken("caller", text) if role == "user" else Told(text))

    def given(self, call_id: str) -> None:
        """The session got that tool's output."""
        for entry in self._entries:
            if isinstance(entry, _Output) and entry.item.call_id == call_id:
                entry.given = True

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
            case Kind.TOOL_ANSWERED | Kind.TOOL_FAILED:
                self._entries.append(_Output(ToolAnswered(data["call_id"], data["output"])))

    def _settle(self) -> None:
        """The agent has been heard to the end of what it said."""
        for entry in self._entries:
            if isinstance(entry, _Turn) and entry.speaker == "agent" and entry.text:
                entry.over = True

    def _turn(self, speaker: Literal["caller", "agent"], event: CallEvent) -> _Turn:
        """The turn of that item, begun now where there is none yet; without items, one that has its words is done."""
        item_id = event.data.get("item_id", "")
        for entry in reversed(self._entries):
            if isinstance(entry, _Turn) and (entry.speaker, entry.item_id) == (speaker, item_id):
                if item_id or not (entry.over or (entry.text and event.kind in WHOLE)):
                    return entry
                break
        turn = _Turn(speaker, item_id)
        self._entries.append(turn)
        return turn


def _item(entry: _Turn | _Output | HistoryItem) -> HistoryItem | None:
    match entry:
        case _Turn():
            return entry.item
        case _Output(item, given):
            return item if given else None
        case _:
            return entry


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
