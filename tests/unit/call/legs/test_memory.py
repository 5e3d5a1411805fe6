"""What the next session is told."""

from hypothesis import given
from hypothesis import strategies as st

from app.call.events import CallEvent, Kind
from app.call.journal.transcript import Transcript
from app.call.legs.memory import Memory, newest
from app.realtime.history import Spoken, Told, ToolAnswered, ToolAsked


def event(kind: Kind, **data) -> CallEvent:
    return CallEvent(kind, 0, data)


def said(item_id: str, text: str) -> CallEvent:
    return event(Kind.AGENT_TRANSCRIPT, item_id=item_id, text=text, final=True)


def asked(call_id: str) -> CallEvent:
    return event(Kind.TOOL_CALLED, call_id=call_id, name="find", arguments="{}")


def answered(call_id: str) -> CallEvent:
    return event(Kind.TOOL_ANSWERED, call_id=call_id, name="find", output="found")


def test_turns_stand_where_they_began_whenever_their_words_come():
    memory = Memory([
        event(Kind.CALLER_SPEECH_STARTED, item_id="u1"),
        said("a1", "At six."),
        event(Kind.CALLER_TRANSCRIPT, item_id="u1", text="When?"),
    ])  # fmt: skip
    assert memory.items == [Spoken("caller", "When?"), Spoken("agent", "At six.")]


def test_of_the_agents_words_only_those_count_that_were_heard():
    memory = Memory([said("a1", "One two three."), event(Kind.AGENT_INTERRUPTED, item_id="a1", heard="One")])
    memory.add(said("a1", "One two three."))
    memory.add(event(Kind.AGENT_INTERRUPTED, item_id="a2", heard=""))

    assert memory.items == [Spoken("agent", "One")]


def test_pieces_of_words_are_none():
    piece = CallEvent(Kind.AGENT_TRANSCRIPT, 0, {"item_id": "a1", "text": "At"}, fleeting=True)
    assert Memory([piece]).items == []


def test_an_output_counts_once_a_session_got_it_and_stands_where_it_came():
    memory = Memory([asked("c1"), answered("c1"), said("a1", "Found.")])
    assert memory.items == [ToolAsked("c1", "find", "{}"), Spoken("agent", "Found.")]

    memory.given("c1")
    assert memory.items == [ToolAsked("c1", "find", "{}"), ToolAnswered("c1", "found"), Spoken("agent", "Found.")]


def test_what_the_model_was_told_in_writing_is_told_again_by_whoever_said_it():
    memory = Memory()
    memory.told("5", "user")
    memory.told("Be brief.", "system")
    assert memory.items == [Spoken("caller", "5"), Told("Be brief.")]


def test_turns_without_ids_are_told_apart_by_their_ends():
    memory = Memory([
        event(Kind.AGENT_SPEECH_STARTED), said("", "Hello."), event(Kind.AGENT_SPEECH_ENDED),
        event(Kind.CALLER_TRANSCRIPT, text="Hi."), event(Kind.CALLER_TRANSCRIPT, text="You there?"),
        event(Kind.AGENT_SPEECH_STARTED), said("", "Yes."),
    ])  # fmt: skip
    assert memory.items == [
        Spoken("agent", "Hello."), Spoken("caller", "Hi."), Spoken("caller", "You there?"), Spoken("agent", "Yes."),
    ]  # fmt: skip


def test_settled_is_what_cannot_change_any_more():
    memory = Memory([event(Kind.AGENT_SPEECH_STARTED, item_id="a1"), said("a1", "Hello.")])
    assert memory.settled == []

    memory.add(event(Kind.AGENT_SPEECH_ENDED))
    memory.add(asked("c1"))
    assert memory.settled == [Spoken("agent", "Hello.")]

    memory.add(answered("c1"))
    memory.given("c1")
    memory.add(event(Kind.CALLER_SPEECH_STARTED, item_id="u1"))
    memory.told("x", "system")
    assert memory.settled == memory.items[:3]


def test_an_output_never_stands_without_its_call():
    items = [ToolAsked("c1", "find", "{}"), ToolAnswered("c1", "found"), Spoken("agent", "Yes.")]
    assert newest(items, 9) == [Spoken("agent", "Yes.")]
    assert newest(items) == items


moments = st.one_of(
    st.tuples(st.just("caller"), st.integers(0, 4), st.text("ab ", max_size=5)),
    st.tuples(st.just("agent"), st.integers(0, 4), st.text("ab ", max_size=5)),
    st.tuples(st.just("cut"), st.integers(0, 4), st.text("ab ", max_size=5)),
    st.tuples(st.sampled_from(["begins", "ends", "starts"]), st.integers(0, 4), st.just("")),
)
KINDS = {
    "caller": Kind.CALLER_TRANSCRIPT, "agent": Kind.AGENT_TRANSCRIPT, "cut": Kind.AGENT_INTERRUPTED,
    "begins": Kind.CALLER_SPEECH_STARTED, "ends": Kind.AGENT_SPEECH_ENDED, "starts": Kind.AGENT_SPEECH_STARTED,
}  # fmt: skip


@given(st.lists(moments, max_size=30))
def test_the_conversation_restored_is_the_transcript_as_heard(happened):
    events = [
        CallEvent(
            KINDS[kind],
            at_ms,
            {"item_id": f"{KINDS[kind][0]}{number}", "text": text, "heard": text, "said": text, "heard_ms": 1},
        )
        for at_ms, (kind, number, text) in enumerate(happened)
    ]
    memory, transcript = Memory(events), Transcript(events)

    heard = [(turn.speaker, turn.said if turn.heard is None else turn.heard) for turn in transcript.turns]
    restored = [(item.speaker, item.text) for item in memory.items]
    assert sorted(restored) == sorted(turn for turn in heard if turn[1])


def test_answers_without_item_ids_stay_apart_also_where_one_is_still_heard_when_the_next_has_words():
    said = {"item_id": "", "final": True}
    events = [
        CallEvent(Kind.AGENT_SPEECH_STARTED, 0, {"item_id": ""}),
        CallEvent(Kind.AGENT_TRANSCRIPT, 10, said | {"text": "Hello."}),
        CallEvent(Kind.CALLER_TRANSCRIPT, 20, said | {"text": "When?"}),
        CallEvent(Kind.AGENT_TRANSCRIPT, 30, said | {"text": "At nine."}),
    ]
    spoken = [("agent", "Hello."), ("caller", "When?"), ("agent", "At nine.")]
    assert [(item.speaker, item.text) for item in Memory(events).items] == spoken
    assert [(turn.speaker, turn.said) for turn in Transcript(events).turns] == spoken
