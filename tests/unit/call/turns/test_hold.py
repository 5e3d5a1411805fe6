"""Being put on hold: music is not answered, and who speaks again is."""

import pytest

from app.call.actions import Listen, Respond
from app.call.events import CallEvent, Kind
from app.call.turns.flow import CallFlow
from app.call.turns.hold import WORDS_WITHIN_MS, Hold, has_words
from app.call.turns.hold_watch import HoldWatch
from app.conf.models import AgentConf, HoldConf
from app.realtime.events import SessionProblem, SpeechStarted, SpeechStopped
from tests.unit.call.turns.test_flow import deeds, kinds

TEN_S = HoldConf(after_seconds=10)


def heard(hold: Hold, from_ms: int, until_ms: int, text: str | None = "", item_id: str = "") -> None:
    """Something is heard, and written down at once unless it is `None`."""
    item_id = item_id or f"item_{from_ms}"
    hold.on_started(from_ms)
    hold.on_stopped(item_id, until_ms)
    if text is not None:
        hold.on_read(item_id, text)


@pytest.mark.parametrize("text", ["", " ", "...", "♪", "♪ la la la ♪", "[Music]", "(upbeat jingle)", "*beep* <noise>"])
def test_what_recognisers_write_for_music_are_no_words(text):
    assert not has_words(text)


@pytest.mark.parametrize("text", ["Hm.", "7", "您好", "[music] Hello?", "Привет"])
def test_words_are_words_in_any_script(text):
    assert has_words(text)


def test_sounds_without_words_add_up_and_words_begin_the_count_anew():
    hold = Hold(TEN_S)
    heard(hold, 0, 6000)
    heard(hold, 7000, 10_900)
    assert hold.on_time(11_000) is None
    heard(hold, 12_000, 13_000, "Hello?")
    heard(hold, 14_000, 23_900)
    assert hold.on_time(24_000) is None
    heard(hold, 25_000, 25_100)
    assert hold.on_time(25_200) == "hold"


def test_what_goes_on_counts_a_third_for_it_may_be_a_long_story():
    hold = Hold(TEN_S)
    hold.on_started(1000)
    assert [hold.on_time(30_999), hold.on_time(31_000), hold.on_time(31_250)] == [None, "hold", None]


def test_words_bring_the_caller_back_and_music_does_not():
    hold = Hold(TEN_S)
    heard(hold, 0, 10_000)
    assert hold.on_time(10_000) == "hold"
    heard(hold, 11_000, 60_000, "[music]")
    assert hold.on_time(60_500) is None
    heard(hold, 61_000, 62_000, "Are you still there?")
    assert hold.on_time(62_500) == "back"
    assert [hold.on, hold.on_time(62_750)] == [False, None]


@pytest.mark.parametrize("fails", [True, False])
def test_what_nobody_can_write_down_is_taken_for_the_caller(fails):
    hold = Hold(TEN_S)
    heard(hold, 0, 10_000)
    hold.on_time(10_000)
    heard(hold, 11_000, 12_000, None, "item_1")
    if fails:
        hold.on_unreadable("item_1")
        assert hold.on_time(12_001) == "back"
    else:
        assert hold.on_time(12_000 + WORDS_WITHIN_MS - 1) is None
        assert hold.on_time(12_000 + WORDS_WITHIN_MS) == "back"


def test_a_recogniser_that_never_answers_puts_nobody_on_hold():
    hold = Hold(TEN_S)
    for from_ms in range(0, 100_000, 10_000):
        heard(hold, from_ms, from_ms + 9000, None)
        assert hold.on_time(from_ms + 9500) is None


def test_what_was_not_written_down_when_its_session_was_lost_brings_nobody_back():
    hold = Hold(TEN_S)
    heard(hold, 0, 10_000)
    hold.on_time(10_000)
    heard(hold, 11_000, 12_000, None)
    hold.forget()
    assert hold.on_time(60_000) is None


class Call:
    """A flow and who watches it, as the bridge has them."""

    def __init__(self, **agent) -> None:
        self.flow = CallFlow()
        self.flow.sessions.begin(0)
        self.watch = HoldWatch(AgentConf(**agent), self.flow)

    def happens(self, event, at_ms: float) -> list:
        actions = self.flow.on_agent(event, at_ms)
        self.note(*(each for each in actions if isinstance(each, CallEvent)))
        return deeds(actions)

    def note(self, *events: CallEvent) -> None:
        for event in events:
            self.watch.on_event(event)

    def music(self, from_ms: int, until_ms: int, text: str = "") -> None:
        item_id = f"item_{from_ms}"
        self.happens(SpeechStarted(item_id=item_id), from_ms)
        self.happens(SpeechStopped(item_id=item_id), until_ms)
        self.note(CallEvent(Kind.CALLER_TRANSCRIPT, until_ms, {"item_id": item_id, "text": text, "final": True}))

    def later(self, at_ms: float) -> list:
        return self.watch.on_time(at_ms, ready=True)


def test_on_hold_the_model_only_listens_and_nobody_waits_for_an_answer():
    call = Call()
    call.music(0, 10_000)
    begun = call.later(10_100)
    assert (kinds(begun), deeds(begun)) == ([Kind.CALLER_ON_HOLD], [Listen(answers=False)])
    call.music(11_000, 20_000)
    assert call.flow.on_time(60_000) == []  # no late answer, and no stalled session

    call.music(61_000, 62_000, "I am back.")
    ended = call.later(62_100)
    assert (kinds(ended), deeds(ended)) == ([Kind.CALLER_BACK], [Listen(answers=True), Respond()])


def test_who_is_still_speaking_when_their_words_come_is_answered_by_the_model_itself():
    call = Call()
    call.music(0, 10_000)
    call.later(10_100)
    call.music(11_000, 12_000, "Hello.")
    call.happens(SpeechStarted(item_id="more"), 12_050)
    assert deeds(call.later(12_100)) == [Listen(answers=True)]


def test_what_failed_to_be_written_down_brings_the_caller_back():
    call = Call()
    call.music(0, 10_000)
    call.later(10_100)
    call.happens(SpeechStarted(item_id="x"), 11_000)
    call.happens(SpeechStopped(item_id="x"), 12_000)
    call.happens(SessionProblem("input transcription: no", severity="harmless", item_id="x"), 12_100)
    assert kinds(call.later(12_200)) == [Kind.CALLER_BACK]


def test_another_session_is_told_as_well_and_asks_no_music_to_say_it_again():
    call = Call()
    call.music(0, 10_000)
    call.later(10_100)
    call.happens(SpeechStarted(item_id="on"), 11_000)
    call.note(*(each for each in call.flow.on_session_lost(12_000) if isinstance(each, CallEvent)))
    assert call.flow.sessions.begin(12_300) == []
    call.note(CallEvent(Kind.MODEL_RECONNECTED, 12_300))
    assert call.later(12_400) == [Listen(answers=False)]
    assert [call.later(30_000), call.flow.on_time(30_000)] == [[], []]


def test_where_nobody_can_tell_or_wants_to_know_music_is_answered():
    for agent in ({"hold": None}, {"transcription": None}, {"turn_detection": None}):
        call = Call(**agent)
        call.music(0, 60_000)
        assert call.later(60_100) == []


def test_another_agent_waits_on_or_is_told_nothing_of_it():
    call = Call()
    call.music(0, 10_000)
    call.later(10_100)
    call.watch.use(AgentConf())
    call.music(11_000, 12_000, "Hello.")
    assert kinds(call.later(12_100)) == [Kind.CALLER_BACK]

    call.music(13_000, 30_000)
    call.later(30_100)
    call.watch.use(AgentConf(hold=None))
    call.happens(SpeechStarted(item_id="u"), 31_000)
    call.happens(SpeechStopped(item_id="u"), 32_000)
    assert kinds(call.flow.on_time(60_000)) == [Kind.ANSWER_LATE]
