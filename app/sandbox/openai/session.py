"""One realtime session: client events in, server events out."""

import time
from collections.abc import Mapping
from typing import Any

from app.sandbox.openai import client_events as client
from app.sandbox.openai.brain import Brain
from app.sandbox.openai.caller_audio import CallerAudio
from app.sandbox.openai.conversation import Conversation
from app.sandbox.openai.faults import NO_FAULTS, Faults
from app.sandbox.openai.input_audio import InputAudio
from app.sandbox.openai.mcp import McpServer
from app.sandbox.openai.mcp_session import McpSession
from app.sandbox.openai.new_items import entry_of
from app.sandbox.openai.observed import Observed
from app.sandbox.openai.outbox import Close, Event, Outgoing, new_id
from app.sandbox.openai.pending import Pending
from app.sandbox.openai.refusal import Refusal, error_event
from app.sandbox.openai.responses import Responses
from app.sandbox.openai.session_config import Config, holds, object_of, shown, updated, with_format
from app.sandbox.openai.state import SessionState, Tasks

EXPIRED = Refusal("session_expired", "Your session hit the maximum duration of 60 minutes.")


class SandboxSession(Observed):
    """A session as the server sees it: `receive` takes the client's frames, `outbox` holds what is to be sent."""

    def __init__(
        self,
        config: Config,
        brain: Brain,
        tasks: Tasks,
        *,
        speed: float = 1.0,
        faults: Faults = NO_FAULTS,
        mcp_servers: Mapping[str, McpServer],
    ) -> None:
        super().__init__()
        self.id = new_id("sess")
        state = SessionState(config, InputAudio(config), brain, tasks, speed, faults, mcp_servers)
        self.outbox = state.outbox
        self._state = state
        self._mcp = McpSession(state)
        self._responses = Responses(state, self._mcp)
        self._caller = CallerAudio(state, self._responses)
        self._expires_at = int(time.time() + faults.session_seconds)
        self._refused_updates = 0

    @property
    def config(self) -> Config:
        """The configuration in force."""
        return self._state.config

    @property
    def conversation(self) -> Conversation:
        """The items so far."""
        return self._state.conversation

    def emit(self, *events: Outgoing) -> None:
        """Send these to the client, after everything sent before."""
        self.outbox.emit(*events)

    def close(self, code: int = 1000, reason: str = "") -> None:
        """End the session from the server's side; 1006 cuts the connection."""
        self.emit(Close(code, reason))

    def stall(self) -> None:
        """Say nothing any more, while the socket stays open."""
        self.outbox.stall()

    def expire(self) -> None:
        """End the session as the API does when it has lasted too long."""
        self.emit(error_event(EXPIRED, None))
        self.close(1001, str(EXPIRED))

    def open(self) -> None:
        """Say what the server says first."""
        conversation = {"id": self._state.conversation_id, "object": "realtime.conversation"}
        self.emit({"type": "session.created", "session": self._shown()})
        self.emit({"type": "conversation.created", "conversation": conversation})
        self._mcp.list_tools()

    def receive(self, text: str) -> None:
        """Act on one frame of the client's."""
        event_id = None
        try:
            given = client.parse(text)
            self.received.append(given)
            event_id = given.get("event_id") if isinstance(given.get("event_id"), str) else None
            self._act(client.check(given), given)
        except Refusal as refusal:
            self.emit(error_event(refusal, event_id))
        self._stir()

    def _act(self, event: client.AnyClientEvent, given: Event) -> None:
        match event:
            case client.AudioAppend():
                self.caller_audio += self._caller.append(event.audio)
            case client.SessionUpdate():
                self._update(given["session"])
            case client.AudioCommit():
                self._caller.commit()
            case client.AudioClear():
                self._caller.clear()
            case client.ItemCreate():
                self._create_item(given["item"], event.previous_item_id)
            case client.ItemDelete():
                self.conversation.delete(event.item_id)
                self.emit({"type": "conversation.item.deleted", "item_id": event.item_id})
            case client.ItemRetrieve():
                item = self.conversation.retrieve(event.item_id)
                self.emit({"type": "conversation.item.retrieved", "item": item})
            case client.ItemTruncate():
                self.conversation.truncate(event.item_id, event.audio_end_ms)
                names = ("item_id", "content_index", "audio_end_ms")
                self.emit({"type": "conversation.item.truncated"} | {name: given[name] for name in names})
            case client.ResponseCreate():
                self._responses.create(given.get("response", {}))
            case client.ResponseCancel():
                self._responses.cancel(event.response_id)

    def _update(self, update: Mapping[str, Any]) -> None:
        state, faults = self._state, self._state.faults
        self._refuse_on_purpose(update)
        config = updated(state.config, update, has_spoken=state.has_spoken)
        if faults.override:
            config = updated(config, faults.override, has_spoken=False)
        state.config = with_format(config, faults.echo_format) if faults.echo_format else config
        state.input.configure(state.config)
        self.emit({"type": "session.updated", "session": self._shown()})
        self._mcp.list_tools()

    def _refuse_on_purpose(self, update: Mapping[str, Any]) -> None:
        faults = self._state.faults
        used_up = faults.refuse_times is not None and self._refused_updates >= faults.refuse_times
        if faults.refuse_update is None or used_up or not holds(update, faults.refuse_param):
            return
        self._refused_updates += 1
        param = faults.refuse_param or "session"
        raise Refusal(faults.refuse_update, "This session.update is refused on purpose.", param)

    def _shown(self) -> dict[str, Any]:
        about = {"object": object_of(self.config), "id": self.id, "expires_at": self._expires_at}
        return about | shown(self.config)

    def _create_item(self, given: dict[str, Any], after: str | None) -> None:
        state = self._state
        entry = entry_of(given, state.conversation, state.input.form)
        item = entry.item
        answers_question = item["type"] == "mcp_approval_response"
        if answers_question:
            self._mcp.check(item)
        state.show_item(entry, state.conversation.insert(entry, after))
        if answers_question:
            self._mcp.answer(item)
        if item.get("role") == "assistant":  # what came before it has had its answer
            state.pending = Pending()
        state.pending.add(item, state.conversation)
