"""Whether the caller's speech interrupts the agent."""

from app.audio import silence, to_base64
from app.call.actions import Cancel, Clear, Respond, Truncate, Wake
from app.call.turns.barge_in import BargeIn
from app.call.turns.flow import CallFlow
from app.realtime.events import AudioDelta, AudioDone, ResponseDone, ResponseStarted, SpeechStarted, SpeechStopped
from app.twilio.media_protocol import MarkReached
from tests.unit.call.turns.test_flow import audio, deeds, play


def test_speech_counts_at_once_unless_a_minimum_is_asked_for():
    assert BargeIn().on_started(0, shielded=False)
    weighed = BargeIn(least_ms=400)
    assert not weighed.on_started(0, shielded=False)
    assert [weighed.on_time(399), weighed.on_time(400), weighed.on_time(401)] == [False, True, False]


def test_what_was_too_short_never_counts():
    weighed = BargeIn(least_ms=400)
    weighed.on_started(0, shielded=False)
    assert weighed.on_stopped(300)
    assert not weighed.on_time(10_000)


def test_neither_an_agent_that_may_not_be_interrupted_nor_a_shielded_greeting_is():
    assert not BargeIn(allowed=False).on_started(0, shielded=False)
    assert not BargeIn().on_started(0, shielded=True)


def speaking(**options) -> CallFlow:
    flow = CallFlow(own_gating=True, **options)
    flow.sessions.begin(0)
    flow.on_agent(ResponseStarted("resp_1"), 0)
    play(flow, audio("item_1", 5000))
    return flow


def test_speech_that_lasted_stops_the_answer_that_the_provider_would_have_gone_on_with():
    flow = speaking(least_barge_in_ms=400)
    assert deeds(flow.on_agent(SpeechStarted(item_id="u1"), 1000)) == [Wake(400)]
    assert deeds(flow.on_time(1400)) == [Clear(), Truncate("item_1", 1400), Cancel()]


def test_a_short_sound_leaves_the_agent_alone_and_is_not_answered():
    flow = speaking(least_barge_in_ms=400)
    flow.on_agent(SpeechStarted(item_id="u1"), 1000)
    assert deeds(flow.on_agent(SpeechStopped(item_id="u1"), 1300)) == []
    assert deeds(flow.on_time(1400)) == []
    assert deeds(flow.on_agent(ResponseDone("resp_1"), 2000)) == []


def test_who_speaks_into_a_shielded_greeting_is_answered_after_it():
    flow = speaking(speaks_first=True, greeting_shielded=True)
    assert deeds(flow.on_agent(SpeechStarted(item_id="u1"), 500)) == []
    flow.on_agent(SpeechStopped(item_id="u1"), 900)
    assert deeds(flow.on_agent(ResponseDone("resp_1"), 1000)) == [Respond()]


def test_after_the_greeting_the_caller_may_interrupt():
    flow = CallFlow(own_gating=True, speaks_first=True, greeting_shielded=True)
    flow.on_agent(ResponseStarted("resp_1"), 0)
    greeting = play(flow, audio("item_1", 400))
    flow.on_agent(AudioDone("item_1"), 1)
    flow.on_agent(ResponseDone("resp_1"), 2)
    flow.on_caller(MarkReached(greeting.mark), 400)
    flow.on_agent(ResponseStarted("resp_2"), 500)
    play(flow, AudioDelta(to_base64(silence(1000)), "item_2", "resp_2"), 500)

    assert deeds(flow.on_agent(SpeechStarted(), 700)) == [Clear(), Truncate("item_2", 200), Cancel()]
