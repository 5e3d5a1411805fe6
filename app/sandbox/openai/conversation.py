"""The items of a session in their order, and the audio that belongs to them."""

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from app.sandbox.openai.refusal import Refusal
from app.sandbox.openai.sound import BYTES_PER_MS, Format

IMAGE_TOKENS = 765


@dataclass(slots=True)
class Entry:
    """An item as it is on the wire, and its audio, which the wire shows on retrieval only."""

    item: dict[str, Any]
    audio: bytes = b""
    form: Format = "audio/pcmu"

    @property
    def audio_ms(self) -> int:
        """How long the item's audio is."""
        return len(self.audio) // BYTES_PER_MS[self.form]


class Conversation:
    """One ordered list of items."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._order: list[str] = []

    def __iter__(self) -> Iterator[Entry]:
        return (self._entries[item_id] for item_id in self._order)

    def get(self, item_id: str) -> Entry | None:
        """That item, if it is there."""
        return self._entries.get(item_id)

    def insert(self, entry: Entry, after: str | None = None) -> str | None:
        """Put an item at the end, or after another (`root`: first); returns the id of the one before it."""
        item_id = entry.item["id"]
        if item_id in self._entries:
            message = f"Error adding item: an item with id '{item_id}' already exists."
            raise Refusal("item_create_duplicate_item_id", message, "item.id")
        if after not in (None, "root", *self._order):
            message = f"Error adding item: the previous item with id '{after}' does not exist."
            raise Refusal("item_create_invalid_previous_item_id", message, "previous_item_id")
        place = len(self._order) if after is None else 0 if after == "root" else self._order.index(after) + 1
        self._order.insert(place, item_id)
        self._entries[item_id] = entry
        return self._order[place - 1] if place else None

    def before(self, item_id: str) -> str | None:
        """The id of the item before that one."""
        place = self._order.index(item_id) if item_id in self._entries else 0
        return self._order[place - 1] if place else None

    def delete(self, item_id: str) -> None:
        """Forget an item."""
        if self._entries.pop(item_id, None) is None:
            raise _unknown("delete", item_id)
        self._order.remove(item_id)

    def retrieve(self, item_id: str) -> dict[str, Any]:
        """The item with its audio."""
        entry = self._entries.get(item_id)
        if entry is None:
            raise _unknown("retrieve", item_id)
        sound = base64.b64encode(entry.audio).decode()
        content = [
            part | ({"audio": sound} if part["type"].endswith("_audio") else {})
            for part in entry.item.get("content", [])
        ]
        return entry.item | ({"content": content} if content else {})

    def truncate(self, item_id: str, audio_end_ms: int) -> None:
        """Keep only the first part of what the agent said; its text is lost."""
        entry = self._entries.get(item_id)
        if entry is None:
            raise _unknown("truncate", item_id)
        if entry.item.get("role") != "assistant":
            raise Refusal("invalid_value", "Only assistant messages can be truncated.", "item_id")
        if audio_end_ms > entry.audio_ms:
            message = f"Audio content of {entry.audio_ms}ms is already shorter than {audio_end_ms}ms"
            raise Refusal("invalid_value", message, "audio_end_ms")
        entry.audio = entry.audio[: audio_end_ms * BYTES_PER_MS[entry.form]]
        entry.item = entry.item | {"content": [part | {"transcript": ""} for part in entry.item["content"]]}

    def call(self, call_id: str) -> dict[str, Any] | None:
        """The function call with that id."""
        calls = (entry.item for entry in self if entry.item["type"] == "function_call")
        return next((item for item in calls if item["call_id"] == call_id), None)


@dataclass(frozen=True, slots=True)
class Tokens:
    """An amount of tokens, as usage counts them."""

    text: int
    audio: int
    image: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.text + self.audio + self.image

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> "Tokens":
        """About four letters are a text token; a user's audio token is 100 ms, the model's 50; images are all alike."""
        entries = list(entries)
        letters = sum(len(_words(entry.item)) for entry in entries)
        audio = sum(entry.audio_ms // (50 if entry.item.get("role") == "assistant" else 100) for entry in entries)
        images = sum(part["type"] == "input_image" for entry in entries for part in parts_of(entry.item))
        return cls(-(-letters // 4), audio, IMAGE_TOKENS * images)


def parts_of(item: dict[str, Any]) -> list[dict[str, Any]]:
    """The content of a message; what is no message is its own only part."""
    parts: list[dict[str, Any]] = item.get("content", [item])
    return parts


def _words(item: dict[str, Any]) -> str:
    parts = parts_of(item)
    return "".join(part.get(field) or "" for part in parts for field in ("text", "transcript", "arguments", "output"))


def _unknown(verb: str, item_id: str) -> Refusal:
    message = f"Error: the item with id '{item_id}' does not exist."
    return Refusal(f"item_{verb}_invalid_item_id", message, "item_id")
