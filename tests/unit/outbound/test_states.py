"""What Twilio's word for a call makes of its request."""

from uuid import UUID

import pytest

from app.outbound.states import OutboundState, after
from app.outbound.tokens import OutboundTicket, OutboundTokens


def test_a_call_goes_its_way_from_the_queue_to_its_end():
    state, states = OutboundState.QUEUED, []
    for word in ("queued", "initiated", "ringing", "in-progress", "completed"):
        if moved := after(state, word):
            state = moved[0]
            states.append(state.value)
    assert states == ["dialing", "ringing", "live", "ended"]


@pytest.mark.parametrize(
    ("state", "word"),
    [("live", "ringing"), ("ringing", "initiated"), ("ringing", "ringing"), ("live", "something new")],
)
def test_callbacks_that_come_late_or_twice_change_nothing(state, word):
    assert after(state, word) is None


@pytest.mark.parametrize("word", ["initiated", "in-progress", "completed", "busy"])
@pytest.mark.parametrize("state", ["ended", "failed", "refused", "canceled"])
def test_what_is_over_stays_so(state, word):
    assert after(state, word) is None


@pytest.mark.parametrize(("word", "reason"), [("busy", "busy"), ("no-answer", "no_answer"), ("failed", "call_failed")])
def test_a_call_that_nobody_answers_has_failed_with_its_reason(word, reason):
    assert after("ringing", word) == (OutboundState.FAILED, reason)


def test_webhooks_know_their_request_by_a_word_that_only_we_can_make():
    ours, rotated = OutboundTokens(["old" * 20]), OutboundTokens(["new" * 20, "old" * 20])
    ticket = OutboundTicket(request_id=UUID(int=7), attempt=2, agent="sales", variables={"name": "Zoë & Co"})
    word = ours.sign(ticket)
    assert rotated.read(word) == ticket
    assert OutboundTokens(["other" * 20]).read(word) is None
    assert ours.read(word[:-1]) is None
    assert ours.read("") is None
    assert all(each.isalnum() or each in "-_." for each in word)


def test_many_variables_are_left_out_of_addresses():
    tokens = OutboundTokens(["k" * 40])
    many = OutboundTicket(request_id=UUID(int=7), attempt=1, agent="a", variables={"text": "x" * 2000})
    read = tokens.read(tokens.sign(many))
    assert read is not None
    assert read.variables is None
