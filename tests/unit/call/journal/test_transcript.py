"""Turns in the order they were spoken."""

from app.call.events import CallEvent, Kind
from app.call.journal.transcript import Transcript, heard_words


def test_the_question_stands_before_its_answer_whatever_arrives_first():
    transcript = Transcript([
        CallEvent(Kind.CALLER_SPEECH_STARTED, 1000, {"item_id": "u1"}),
        CallEvent(Kind.CALLER_SPEECH_ENDED, 2500, {"item_id": "u1"}),
        CallEvent(Kind.AGENT_SPEECH_STARTED, 3000, {"item_id": "a1"}),
        CallEvent(Kind.AGENT_TRANSCRIPT, 3100, {"item_id": "a1", "text": "At six."}),
        CallEvent(Kind.CALLER_TRANSCRIPT, 4000, {"item_id": "u1", "text": "When?"}),
    ])  # fmt: skip

    assert [(turn.speaker, turn.said, turn.at_ms) for turn in transcript.turns] == [
        ("caller", "When?", 1000),
        ("agent", "At six.", 3000),
    ]


def test_an_answers_latency_belongs_to_its_turn():
    figures = {"first_delta_ms": 300, "first_frame_ms": 310, "first_mark_ms": 450}
    transcript = Transcript([
        CallEvent(Kind.AGENT_SPEECH_STARTED, 3000, {"item_id": "a1"}),
        CallEvent(Kind.ANSWER_LATENCY, 3150, {"item_id": "a1", "latency": figures}),
        CallEvent(Kind.AGENT_SPEECH_ENDED, 4000),
        CallEvent(Kind.AGENT_SPEECH_STARTED, 9000, {"item_id": "a2"}),
    ])  # fmt: skip

    assert [turn.latency for turn in transcript.turns] == [figures, None]
    assert transcript.turns[0].until_ms == 4000


def test_a_turn_that_was_cut_keeps_what_was_said_and_what_was_heard():
    cut = {"item_id": "a1", "heard_ms": 500, "sent_ms": 1000, "said": "one two", "heard": "one"}
    transcript = Transcript([
        CallEvent(Kind.AGENT_SPEECH_STARTED, 0, {"item_id": "a1"}),
        CallEvent(Kind.AGENT_INTERRUPTED, 500, cut),
    ])  # fmt: skip

    [turn] = transcript.as_json()
    assert (turn["said"], turn["heard"], turn["heard_ms"]) == ("one two", "one", 500)


def test_keys_are_the_callers_turns():
    [turn] = Transcript([CallEvent(Kind.CALLER_DTMF, 7, {"digit": "5"})]).turns
    assert (turn.speaker, turn.said) == ("caller", "[key 5]")


def test_heard_words_follow_the_share_of_audio_that_was_heard():
    assert heard_words("a b c d", 500, 1000) == "a b"
    assert heard_words("a b c d", 9000, 1000) == "a b c d"
    assert heard_words("a b", 0, 0) == ""
