"""Who answers when: at most one response at a time writes to the conversation."""

import asyncio
from dataclasses import dataclass, replace

from app.sandbox.openai.brain import Heard
from app.sandbox.openai.conversation import Conversation
from app.sandbox.openai.mcp_session import McpSession
from app.sandbox.openai.outbox import Event
from app.sandbox.openai.pending import Pending, Wish, own_context, terms, what_was_heard
from app.sandbox.openai.refusal import Refusal
from app.sandbox.openai.response import CutReason, Response
from app.sandbox.openai.state import SessionState


class Responses:
    """The responses of a session that are under way, and how each begins and ends."""

    def __init__(self, state: SessionState, mcp: McpSession) -> None:
        self._state, self._mcp = state, mcp
        self._running: dict[str, _Running] = {}
        self._active: _Running | None = None
        self._creates = 0
        self._has_answered = False
        self._answered = asyncio.Event()

    @property
    def active(self) -> bool:
        """A response to the conversation is under way."""
        return self._active is not None

    async def wait_answered(self) -> None:
        """Return once the conversation's next response is done."""
        await self._answered.wait()

    def create(self, wish: Wish) -> None:
        """As `response.create` wishes; raises `Refusal` while another one is active."""
        apart = wish.get("conversation") == "none"
        if self._state.config["type"] == "transcription":
            raise Refusal("invalid_value", "A transcription session gives no responses.", "type")
        if self._creates in self._state.faults.crossed_creates and not self.active:
            self.respond({})
        self._creates += 1
        if self._active is not None and not apart:
            message = (
                f"Conversation already has an active response in progress: {self._active.response.id}."
                " Wait until the response is finished before creating a new one."
            )
            raise Refusal("conversation_already_has_active_response", message)
        voice = self._state.config["audio"]["output"]["voice"]
        if self._state.has_spoken and wish.get("audio", {}).get("output", {}).get("voice", voice) != voice:
            message = "Cannot update a conversation's voice if assistant audio is present."
            raise Refusal("cannot_update_voice", message, "response.audio.output.voice")
        self.respond(wish)

    def respond(self, wish: Wish, *, idle: bool = False) -> None:
        """Begin a response."""
        state = self._state
        apart = wish.get("conversation") == "none"
        pending, context = self._input_of(wish)
        heard = what_was_heard(pending, state.config, wish, idle=idle, first=not self._has_answered)
        response = Response(
            terms(state.config, wish, state.faults.echo_format, self._mcp.approval_check(wish)),
            Conversation() if apart else state.conversation,
            context=context,
            conversation_id=None if apart else state.conversation_id,
        )
        state.outbox.emit(response.start(), _rate_limits())
        task = state.tasks.create_task(self._play(response, heard, pending.ears), name="response")
        running = self._running[response.id] = _Running(response, task)
        if not apart:
            self._active, self._has_answered = running, True
            state.input.wait_from(None)

    def cancel(self, response_id: str | None) -> None:
        """As `response.cancel` wishes; raises `Refusal` when that one is not active."""
        running = self._active if response_id is None else self._running.get(response_id)
        if running is None:
            raise Refusal("response_cancel_not_active", "Cancellation failed: no active response found.")
        self._cut(running, "client_cancelled")

    def interrupt(self) -> None:
        """The caller speaks: what is being said to them ends."""
        if self._active is not None:
            self._cut(self._active, "turn_detected")

    def _input_of(self, wish: Wish) -> tuple[Pending, Conversation]:
        state = self._state
        if "input" in wish:
            return own_context(wish, state.conversation)
        pending, state.pending = state.pending, Pending()
        return pending, state.conversation

    async def _play(self, response: Response, heard: Heard, ears: "asyncio.Task[str | None] | None") -> None:
        state = self._state
        if ears is not None:
            heard = replace(heard, phrase=await asyncio.shield(ears))
        reply = state.brain.answer(heard)
        began_ms = state.input.now_ms
        for step in response.steps(reply):
            state.outbox.emit(*step.events)
            state.has_spoken = state.has_spoken or response.audio_ms > 0
            await state.pass_ms(step.then_ms)
        state.outbox.emit(*response.finish(reply))
        self._end(response, played_until_ms=began_ms + response.audio_ms)

    def _cut(self, running: "_Running", reason: CutReason) -> None:
        running.task.cancel()
        late = running.response.next_deltas(self._state.faults.late_deltas)
        self._state.outbox.emit(*running.response.cut(reason), *late)
        self._end(running.response)

    def _end(self, response: Response, *, played_until_ms: int = 0) -> None:
        running = self._running.pop(response.id)
        self._mcp.note(response)
        if self._active is running:
            self._active = None
            self._answered.set()
            self._answered = asyncio.Event()
            state_input = self._state.input
            state_input.wait_from(max(state_input.now_ms, played_until_ms))


@dataclass(frozen=True, slots=True, eq=False)
class _Running:
    """A response and the task that plays it."""

    response: Response
    task: "asyncio.Task[None]"


def _rate_limits() -> Event:
    limits = [("requests", 5000, 4999, 0.012), ("tokens", 400000, 395000, 0.75)]
    names = ("name", "limit", "remaining", "reset_seconds")
    return {"type": "rate_limits.updated", "rate_limits": [dict(zip(names, limit, strict=True)) for limit in limits]}
