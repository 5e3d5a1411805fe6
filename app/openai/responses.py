"""Who may create a response, and when.

The API carries one response at a time: a `response.create` into an active one is refused. The model should speak
once for each wish, and a wish is fulfilled as well by an answer that the server started by itself, provided the
items that the wish is about were in the conversation by then.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Overrides = Mapping[str, Any]
"""What is different for one response, in the words of the wire."""


@dataclass(frozen=True, slots=True)
class Create:
    """A `response.create` to send now."""

    event_id: str
    overrides: Overrides | None = None


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a response is wanted for: outright, or to voice the tool outputs of earlier responses."""

    outright: bool = False
    responses: frozenset[str] = field(default_factory=frozenset)
    overrides: Overrides | None = None

    def __or__(self, newer: "_Wish") -> "_Wish":
        overrides = self.overrides if newer.overrides is None else newer.overrides
        return _Wish(self.outright or newer.outright, self.responses | newer.responses, overrides)


_NOTHING = _Wish()


class Responses:
    """Decides when a `response.create` goes out; each method that may lead to one returns it.

    Held back while a response is active or asked for, while the caller speaks, and, where the server answers by
    itself, until that answer has begun or is overdue. The outputs of one response's tool calls wait for each other.

    Several wishes become one response. It has the overrides of the newest wish that has any, whole: those of two
    wishes are never mixed. A response that began without a wish's overrides (the server's own, or one that was asked
    for before) does not fulfil that wish.
    """

    def __init__(self, *, server_answers: bool) -> None:
        self.server_answers = server_answers
        """Whether the server answers the caller by itself."""
        self._active: str | None = None
        self._asked: str | None = None
        """The event id of a create that the server has neither begun nor refused."""
        self._last_asked = ""
        self._asked_for = _NOTHING
        """What the last create was for: needed again if the server refuses it."""
        self._in_time = False
        """Whether the conversation held everything when the response after that create began."""
        self._wanted = _NOTHING
        self._caller_speaks = False
        self._answer_expected = False
        self._unconfirmed: set[str] = set()
        self._open_calls: dict[str, str] = {}
        self._seen_calls: set[str] = set()
        self._creates = 0

    @property
    def answer_expected(self) -> bool:
        """Whether the server is about to answer the caller by itself; if it does not, say `on_answer_overdue`."""
        return self._answer_expected

    @property
    def create_in_flight(self) -> bool:
        """Whether the server owes us a response or a refusal; if neither comes, say `on_create_overdue`."""
        return self._asked is not None

    @property
    def active(self) -> str | None:
        """The response under way: its id, empty while it is not known; `None` when there is nothing to cancel."""
        return self._active if self._active is not None else ("" if self._asked else None)

    def on_item_sent(self, item_id: str) -> None:
        """We added an item to the conversation; the server has not confirmed it yet."""
        self._unconfirmed.add(item_id)

    def want(self, overrides: Overrides | None = None) -> Create | None:
        """The model shall speak."""
        self._wanted |= _Wish(outright=True, overrides=overrides)
        return self._next()

    def on_tool_answered(self, call_id: str) -> Create | None:
        """We sent a tool call's output; the model shall go on once its sisters have theirs."""
        self._wanted |= _Wish(responses=frozenset({self._open_calls.pop(call_id, "")}))
        return self._next()

    def on_answered_elsewhere(self, call_id: str) -> None:
        """Another session got that tool call's output, and this one knows it: no other output waits for it."""
        self._open_calls.pop(call_id, None)

    def on_tool_call(self, call_id: str, response_id: str) -> bool:
        """The model asks for a tool; false when this very call was seen before."""
        if call_id in self._seen_calls:
            return False
        self._seen_calls.add(call_id)
        self._open_calls[call_id] = response_id
        return True

    def on_item_added(self, item_id: str) -> None:
        """The conversation holds the item from here on."""
        self._unconfirmed.discard(item_id)

    def on_created(self, response_id: str) -> None:
        """A response began: ours, or one of the server's own."""
        self._active = response_id
        self._answer_expected = False
        self._asked = None
        self._in_time = not self._unconfirmed
        if self._in_time and self._wanted.overrides is None:
            self._wanted = _NOTHING

    def on_done(self, response_id: str, *, unvoiced: bool = False) -> Create | None:
        """A response ended, whatever the outcome; `unvoiced` when the model has yet to speak about its last result."""
        if response_id and self._active not in {response_id, ""}:
            return None  # not the one we follow
        self._active = None
        if unvoiced:
            self._wanted |= _Wish(outright=True)
        return self._next()

    def is_in_doubt(self, event_id: str) -> bool:
        """Whether a refusal of that event is a refusal of our last create."""
        return event_id == self._last_asked

    def on_refused(self, event_id: str, *, active_response: bool) -> Create | None:
        """The server refused an event of ours.

        A create that came into an active response is tried again after it. One that was refused for another reason is
        given up: whoever wished for it learns that its answer failed.
        """
        self._unconfirmed.discard(event_id)
        if event_id != self._last_asked:
            return None
        if active_response:
            begun = self._asked is None  # we took the response of somebody else for ours
            if not (begun and self._in_time) or self._asked_for.overrides is not None:
                self._wanted = self._asked_for | self._wanted
            if self._active is None:
                self._active = ""  # the server says that there is one
        return self._give_up()

    def on_create_overdue(self) -> Create | None:
        """The server neither began nor refused the response in time: that create is given up."""
        return self._give_up()

    def _give_up(self) -> Create | None:
        self._asked, self._asked_for, self._last_asked = None, _NOTHING, ""
        return self._next()

    def on_speech_started(self) -> None:
        """The caller speaks: whatever we want to say waits."""
        self._caller_speaks = True
        self._answer_expected = False

    def on_speech_stopped(self) -> Create | None:
        """The caller stopped; where the server answers by itself, that answer comes first."""
        self._caller_speaks = False
        self._answer_expected = self.server_answers
        return self._next()

    def on_answer_overdue(self) -> Create | None:
        """The server did not answer the caller in time: we need not wait for it."""
        self._answer_expected = False
        return self._next()

    def _next(self) -> Create | None:
        held = self._active is not None or self._asked or self._caller_speaks or self._answer_expected
        if held or not self._ripe():
            return None
        self._creates += 1
        self._asked = self._last_asked = f"create_{self._creates}"
        self._asked_for, self._wanted, self._in_time = self._wanted, _NOTHING, False
        return Create(self._asked, self._asked_for.overrides)

    def _ripe(self) -> bool:
        """Outputs wait until every call of their response has one."""
        return self._wanted.outright or bool(self._wanted.responses - set(self._open_calls.values()))
