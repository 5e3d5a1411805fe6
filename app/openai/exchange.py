"""What a session's events mean for its call, and for whatever we have to send next."""

import itertools

from app.openai import messages
from app.openai.responses import Create, Responses
from app.openai.types import events as wire
from app.realtime.events import AsideDone, RealtimeInEvent, ResponseDone, Unknown

Outcome = tuple[list[RealtimeInEvent], Create | None]


class Exchange:
    """Follows one session's events: each thing is told to the call once, and responses stay in order."""

    def __init__(self, responses: Responses) -> None:
        self.responses = responses
        self.has_spoken = False
        """Whether the agent has been heard: from then on its voice is fixed."""
        self._numbers = itertools.count(1)
        self._items: set[str] = set()
        self._approved: set[str] = set()  # MCP calls that run beside any response
        self._asides: dict[str, str] = {}  # the create's event id: the name of its question
        self._aside_responses: set[str] = set()

    def new_item(self, item_id: str | None = None) -> str:
        """The id of the item that is sent next: this one, or one of our own."""
        item_id = item_id or f"item_parley_{next(self._numbers)}"
        self.responses.on_item_sent(item_id)
        return item_id

    def new_event(self) -> str:
        """An id for an event of ours, by which a refusal names it."""
        return f"event_parley_{next(self._numbers)}"

    def new_aside(self, name: str) -> str:
        """The event id of the create that puts this question beside the conversation."""
        event_id = self.new_event()
        self._asides[event_id] = name
        return event_id

    def on_event(self, event: wire.ServerEvent | wire.Other) -> Outcome:
        """What the call is told, and the create to send; audio does not come this way."""
        match event:
            case wire.ResponseCreated() | wire.ResponseDone() if messages.aside(event.response) is not None:
                self._aside_responses.add(event.response.id)
                return [messages.neutral(event)], None
            case wire.OfResponse(response_id=response_id) if response_id in self._aside_responses:
                return [Unknown(event.kind)], None
            case wire.ItemAdded(item=wire.Item(id=str(item_id))):
                return self._on_item_added(event, item_id), None
            case wire.OutputItemDone() if call := messages.tool_call(event):
                return [call] if self.responses.on_tool_call(call.call_id, call.response_id) else [], None
            case wire.Error(error=wire.ErrorDetails(event_id=str(event_id)) as error):
                return self._on_refused(event, event_id, error)
            case _:
                return [messages.neutral(event)], self._next_create(event)

    def _next_create(self, event: wire.ServerEvent | wire.Other) -> Create | None:
        responses = self.responses
        match event:
            case wire.ResponseCreated():
                responses.on_created(event.response.id)
            case wire.ResponseDone():
                return responses.on_done(event.response.id, unvoiced=messages.is_unvoiced(event.response))
            case wire.SpeechStarted():
                responses.on_speech_started()
            case wire.SpeechStopped():
                return responses.on_speech_stopped()
            case wire.McpCallCompleted(item_id=item_id) | wire.McpCallFailed(item_id=item_id) if (
                responses.active is None or item_id in self._approved
            ):
                return responses.want()  # it waited for an approval, and its answer has ended since
            case wire.ContentPartAdded(part=wire.Part(type="audio")):
                self.has_spoken = True
            case _:
                pass
        return None

    def _on_item_added(self, event: wire.ItemAdded, item_id: str) -> list[RealtimeInEvent]:
        """An item is told once, whether its event comes under the old name, the new one, or both."""
        self.responses.on_item_added(item_id)
        if event.item.approval_request_id and event.item.type == "mcp_call":
            self._approved.add(item_id)
        if item_id in self._items:
            return []
        self._items.add(item_id)
        return [messages.neutral(event)]

    def _on_refused(self, event: wire.Error, event_id: str, error: wire.ErrorDetails) -> Outcome:
        """A refused wish for an answer is an answer that failed, unless it can be granted later."""
        told: list[RealtimeInEvent] = [messages.neutral(event)]
        reason, active_response = error.code or error.type, error.code == messages.ACTIVE_RESPONSE
        if name := self._asides.pop(event_id, None):
            return [*told, AsideDone(name, status="failed", reason=reason)], None
        if self.responses.is_in_doubt(event_id) and not active_response:
            told.append(ResponseDone(status="failed", reason=reason))
        return told, self.responses.on_refused(event_id, active_response=active_response)
