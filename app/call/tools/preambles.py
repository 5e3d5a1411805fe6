"""What the caller hears while a tool runs, where an operator wants that."""

from collections.abc import Mapping

from app.call.actions import Action, Say, Wake
from app.realtime.events import ToolCall

PATIENCE_MS = 300
"""A tool that answers within this needs no words before its answer."""


class Preambles:
    """At most one for each answer that asks for tools, and only where nobody speaks anyway.

    The answer that asked has to be over, or the provider would refuse to begin another. It is dropped as soon as its
    tool is done, the caller speaks or another answer begins.
    """

    def __init__(self) -> None:
        self.words: Mapping[str, str] = {}
        """What is said, by the names of the tools."""
        self._open: dict[str, str] = {}  # what to say, by the call of the tool
        self._due_ms: float | None = None

    @property
    def waiting(self) -> bool:
        """Whether there are words that may still be said."""
        return bool(self._open)

    def on_tool_call(self, call: ToolCall) -> None:
        """That tool runs."""
        if words := self.words.get(call.name):
            self._open[call.call_id] = words

    def on_tool_done(self, call_id: str) -> None:
        """It needs no words any more."""
        self._open.pop(call_id, None)

    def on_answer_end(self, at_ms: float, *, spoke: bool) -> list[Action]:
        """The answer that asked for the tools is complete; if it spoke, that was enough."""
        if spoke:
            self.drop()
        if not self._open:
            return []
        self._due_ms = at_ms + PATIENCE_MS
        return [Wake(PATIENCE_MS)]

    def drop(self) -> None:
        """Somebody speaks."""
        self._open.clear()
        self._due_ms = None

    def on_time(self, at_ms: float, *, silent: bool) -> list[Action]:
        """The words, once they are due, nobody speaks and no answer is on its way."""
        if self._due_ms is None or at_ms < self._due_ms or not silent:
            return []
        words = next(iter(self._open.values()), None)
        self.drop()
        return [Say(words, only_words=True)] if words else []
