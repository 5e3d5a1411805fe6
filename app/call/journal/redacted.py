"""What may be kept of an event: words without what the agent's configuration has removed."""

from dataclasses import replace

from app.call.events import CallEvent, Kind
from app.conf.models import RedactionConf
from app.redaction import Redactor

_TURNS = {Kind.CALLER_TRANSCRIPT: "caller", Kind.AGENT_TRANSCRIPT: "agent"}
_WORDS = frozenset(
    {
        Kind.AGENT_TEXT,
        Kind.AGENT_INTERRUPTED,
        Kind.TOOL_CALLED,
        Kind.TOOL_ANSWERED,
        Kind.TOOL_FAILED,
        Kind.MCP_CALLED,
        Kind.OPERATOR_COMMAND,
        Kind.CALLER_DTMF,
        Kind.DTMF_SENT,
        Kind.MESSAGE_TAKEN,
    }
)
_IDS = frozenset({"call_id", "item_id"})
"""Whatever a pattern fits, these say which events belong together."""


class RedactedEvents:
    """Redacts the events of one call, in their order. What the model knows of the call is not changed."""

    def __init__(self, conf: RedactionConf) -> None:
        self._redactor = Redactor(card_numbers=conf.card_numbers, patterns=conf.patterns)

    def also(self, conf: RedactionConf) -> None:
        """Another agent goes on: what its configuration removes is removed as well."""
        self._redactor.also(card_numbers=conf.card_numbers, patterns=conf.patterns)

    def typed(self, keys: str) -> str:
        """What may be kept of keys that belong together, of which each is an event of its own."""
        return self._redactor.text(keys)

    def __call__(self, event: CallEvent) -> CallEvent:
        """The event as it may be written down and told."""
        if speaker := _TURNS.get(event.kind):
            text = event.data["text"]
            told = self._redactor.fragment(speaker, text) if event.fleeting else self._redactor.turn(speaker, text)
            return event if told == text else replace(event, data=event.data | {"text": told})
        if event.kind in _WORDS:
            kept = {name: event.data[name] for name in _IDS & event.data.keys()}
            return replace(event, data=self._redactor.value(event.data) | kept)
        return event
