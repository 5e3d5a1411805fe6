import pytest

from app.sandbox.openai.brain import CallTool, Heard, Say, ToolOutput, exact_words
from app.sandbox.openai.story import StoryBrain
from app.sandbox.voices.clips import phrases

TOOLS = frozenset({"lookup_table", "end_call"})


def reply(why="speech", **heard):
    return list(StoryBrain().answer(Heard(why=why, **{"tools": TOOLS} | heard)).parts)


def found(evening, output):
    return (ToolOutput("call_1", "lookup_table", f'{{"evening": "{evening}"}}', output),)


@pytest.mark.parametrize("phrase", [name for name, phrase in phrases().items() if phrase.role == "caller"])
def test_every_phrase_of_a_caller_is_understood(phrase):
    assert reply(phrase=phrase) != reply(phrase=None) == [Say.phrase("not_understood")]


def test_a_wish_is_looked_up_before_it_is_answered():
    assert reply(phrase="table_tonight") == [CallTool("lookup_table", '{"evening": "tonight"}')]
    assert reply("tool_outputs", outputs=found("tonight", "free at six")) == [Say.phrase("tonight_tables")]
    assert reply("tool_outputs", outputs=found("tomorrow", "free at eight")) == [
        Say.phrase("tomorrow_goodbye"),
        CallTool("end_call"),
    ]


def test_what_the_book_does_not_say_is_not_made_up():
    assert reply("tool_outputs", outputs=found("tonight", "nothing")) == [Say.phrase("not_found")]
    assert reply("tool_outputs", outputs=found("tomorrow", '{"error": "no table"}')) == [Say.phrase("not_found")]


def test_tools_that_the_client_did_not_offer_are_not_called():
    assert reply(phrase="table_tonight", tools=frozenset()) == [Say.phrase("not_found")]
    assert reply(phrase="goodbye", tools=frozenset()) == [Say.phrase("thanks_goodbye")]


def test_exact_words_are_said_with_their_clip_or_a_fitting_hum():
    [known] = reply("exact_words", words="Are you still there?")
    [other] = reply("exact_words", words="Good evening, this is Ada.")

    assert known == Say.phrase("still_there")
    assert (other.text, other.phrase_id) == ("Good evening, this is Ada.", None)
    assert 1000 < other.audio_ms < 3000


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Say exactly these words to the caller now, once, and nothing else:\nHello: you!", "Hello: you!"),
        ('Please say exactly: "Good bye."', "Good bye."),
        ("You are a polite host.", ""),
        ("", ""),
    ],
)
def test_a_wish_for_exact_words_is_recognised(text, words):
    assert exact_words(text) == words
