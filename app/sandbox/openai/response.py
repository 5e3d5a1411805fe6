"""One response as the documented sequence of events, whole or cut short. Pure: who sends it waits between the steps."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from app.sandbox.openai.brain import CallMcp, CallTool, Part, Reply
from app.sandbox.openai.conversation import Conversation, Entry, Tokens
from app.sandbox.openai.mcp import ApprovalAsked, McpCalled
from app.sandbox.openai.outbox import Event, new_id
from app.sandbox.openai.outputs import Called, Output, Place, Spoken, Step, Written
from app.sandbox.openai.sound import Format

CutReason = Literal["turn_detected", "client_cancelled"]
_ERROR_TYPES = {"rate_limit_exceeded": "invalid_request_error", "insufficient_quota": "insufficient_quota"}


@dataclass(frozen=True, slots=True)
class Terms:
    """What a response has been asked to be like."""

    modality: Literal["audio", "text"]
    form: Format
    most_tokens: float
    shown: dict[str, Any]
    """The fields of the response that repeat the configuration."""
    needs_approval: Callable[[CallMcp], bool]


class Response:
    """A response under way. Only one step's events may be unsent when it is cut."""

    def __init__(
        self, terms: Terms, conversation: Conversation, *, context: Conversation, conversation_id: str | None
    ) -> None:
        self.id = new_id("resp")
        self.outputs: list[Output] = []
        self._terms = terms
        self._conversation = conversation
        self._conversation_id = conversation_id
        self._input = Tokens.of(context)
        self._open: Output | None = None
        self._steps: Iterator[Step] = iter(())  # of the open item
        self._ran_out = False

    @property
    def audio_ms(self) -> int:
        """How much has been spoken so far."""
        return sum(entry.audio_ms for entry in self._entries)

    def start(self) -> Event:
        """`response.created`."""
        return {"type": "response.created", "response": self._resource("in_progress")}

    def steps(self, reply: Reply) -> Iterator[Step]:
        """Everything between `response.created` and `response.done`."""
        yield Step(then_ms=reply.think_ms)
        for part in reply.parts:
            output = self._open = self._output_for(part, reply)
            yield Step(self._announce(output))
            self._steps = output.steps()
            for step in self._steps:
                yield step
                self._ran_out = self._tokens().total >= self._terms.most_tokens
                if self._ran_out:
                    yield Step(self._close(output, "incomplete"))
                    return
            broken_off = reply.incomplete and part is reply.parts[-1]
            yield Step(self._close(output, "incomplete" if broken_off else "completed"))

    def next_deltas(self, count: int) -> list[Event]:
        """The open item's next audio deltas: a real server has some under way when it cancels a response."""
        events = (event for step in self._steps for event in step.events)
        return list(islice((event for event in events if event["type"] == "response.output_audio.delta"), count))

    def finish(self, reply: Reply) -> list[Event]:
        """The end of a response that was not interrupted."""
        if code := reply.failure:
            kind = _ERROR_TYPES.get(code, "server_error")
            error = {"type": kind, "code": code, "message": f"The response failed: {code}."}
            return [self._done("failed", {"type": "failed", "error": error})]
        if reason := "max_output_tokens" if self._ran_out else reply.incomplete:
            return [self._done("incomplete", {"type": "incomplete", "reason": reason})]
        return [self._done("completed", None)]

    def cut(self, reason: CutReason) -> list[Event]:
        """The end of a response that was interrupted: the open item is closed as it stands."""
        closing = self._close(self._open, "incomplete") if self._open else []
        return [*closing, self._done("cancelled", {"type": "cancelled", "reason": reason})]

    @property
    def _entries(self) -> list[Entry]:
        return [output.entry for output in self.outputs]

    def _output_for(self, part: Part, reply: Reply) -> Output:
        place = Place(self.id, len(self.outputs))
        match part:
            case CallTool():
                return Called(place, part)
            case CallMcp():
                return ApprovalAsked(place, part) if self._terms.needs_approval(part) else McpCalled(place, part)
            case _ if self._terms.modality == "text":
                return Written(place, part)
            case _:
                return Spoken(place, part, reply, self._terms.form)

    def _announce(self, output: Output) -> list[Event]:
        self.outputs.append(output)
        previous = self._conversation.insert(output.entry)
        return [
            self._of_response("response.output_item.added", output),
            *self._of_conversation("conversation.item.added", output.entry, previous),
            *output.opening(),
        ]

    def _close(self, output: Output, status: Literal["completed", "incomplete"]) -> list[Event]:
        self._open = None
        events = output.closing()
        item = output.entry.item
        if "status" in item:
            item["status"] = status
        previous = self._conversation.before(item["id"])
        events += self._of_conversation("conversation.item.done", output.entry, previous)
        return [*events, self._of_response("response.output_item.done", output)]

    def _of_response(self, kind: str, output: Output) -> Event:
        place, item = output.place, dict(output.entry.item)
        return {"type": kind, "response_id": self.id, "output_index": place.output_index, "item": item}

    def _of_conversation(self, kind: str, entry: Entry, previous: str | None) -> list[Event]:
        if self._conversation_id is None:
            return []
        return [{"type": kind, "previous_item_id": previous, "item": dict(entry.item)}]

    def _done(self, status: str, details: dict[str, Any] | None) -> Event:
        response = self._resource(status) | {"status_details": details, "usage": self._usage()}
        return {"type": "response.done", "response": response}

    def _resource(self, status: str) -> dict[str, Any]:
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": status,
            "status_details": None,
            "output": [dict(entry.item) for entry in self._entries],
            "conversation_id": self._conversation_id,
            "usage": None,
            **self._terms.shown,
        }

    def _tokens(self) -> Tokens:
        return Tokens.of(self._entries)

    def _usage(self) -> dict[str, Any]:
        given, made = self._input, self._tokens()
        cached = {"text_tokens": given.text // 2, "audio_tokens": given.audio // 2, "image_tokens": 0}
        details = {"text_tokens": given.text, "audio_tokens": given.audio, "image_tokens": given.image}
        return {
            "total_tokens": given.total + made.total,
            "input_tokens": given.total,
            "output_tokens": made.total,
            "input_token_details": {
                **details,
                "cached_tokens": sum(cached.values()),
                "cached_tokens_details": cached,
            },
            "output_token_details": {"text_tokens": made.text, "audio_tokens": made.audio},
        }
