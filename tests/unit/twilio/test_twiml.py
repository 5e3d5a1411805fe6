from xml.etree import ElementTree

import pytest

from app.twilio import twiml


def connect(fallback_number: str | None = None, **changes: object) -> ElementTree.Element:
    arguments: dict[str, object] = {
        "stream_url": "wss://calls.example.com/twilio/media",
        "parameters": {"token": "t&<1"},
        "language": "de-DE",
        "apology": "Bitte warten, <Müller> & Co",
        "fallback_number": fallback_number,
        "after_url": "https://calls.example.com/twilio/after?attempt=1",
    }
    return ElementTree.fromstring(twiml.connect_stream(**(arguments | changes)))  # type: ignore[arg-type]  # noqa: S314


def test_the_stream_carries_its_parameters_and_no_action_keeps_the_static_verbs_from_running():
    response = connect()

    verb, stream = response[0], response[0][0]
    assert (verb.tag, verb.attrib) == ("Connect", {})
    assert (stream.tag, stream.attrib) == ("Stream", {"url": "wss://calls.example.com/twilio/media"})
    assert [parameter.attrib for parameter in stream] == [{"name": "token", "value": "t&<1"}]


def test_a_dead_process_leaves_an_apology_in_the_agents_language_and_the_fallback_number():
    _, say, dial = connect("+15557654321")

    assert (say.tag, say.attrib, say.text) == ("Say", {"language": "de-DE"}, "Bitte warten, <Müller> & Co")
    assert (dial.tag, dial[0].tag, dial[0].text) == ("Dial", "Number", "+15557654321")


def test_without_a_fallback_number_twilio_asks_what_follows():
    _, redirect = connect()

    assert (redirect.tag, redirect.text) == ("Redirect", "https://calls.example.com/twilio/after?attempt=1")


def test_a_parameter_that_twilio_would_not_take_is_refused():
    with pytest.raises(ValueError, match="token"):
        connect(parameters={"token": "x" * 500})


def test_words_are_followed_by_a_forward_or_a_hang_up():
    forward = ElementTree.fromstring(twiml.say_then("Bye", language="en-US", number="+15557654321"))  # noqa: S314
    hang_up = ElementTree.fromstring(twiml.say_then("Bye", language="en-US", number=None))  # noqa: S314

    assert [verb.tag for verb in forward] == ["Say", "Dial"]
    assert [verb.tag for verb in hang_up] == ["Say", "Hangup"]


def test_where_there_is_a_voicemail_it_follows_the_words_or_whoever_does_not_answer():
    url = "https://x/twilio/voicemail?agent=a&attempt=1"
    without, with_number = (
        ElementTree.fromstring(twiml.say_then("Bye", language="de-DE", number=number, voicemail_url=url))  # noqa: S314
        for number in (None, "+15557654321")
    )

    assert [(verb.tag, verb.text) for verb in without] == [("Say", "Bye"), ("Redirect", url)]
    assert [verb.tag for verb in with_number] == ["Say", "Dial"]
    assert with_number[1].attrib == {"action": url, "method": "POST", "timeLimit": "3600"}


def test_a_fallback_number_is_not_talked_to_for_ever_and_the_static_verbs_ask_nobody_what_follows():
    _, _, dial = connect("+15557654321")

    assert dial.attrib == {"timeLimit": "3600"}


def test_a_message_is_recorded_after_a_tone_and_who_says_nothing_is_hung_up_on():
    say, record, end = ElementTree.fromstring(  # noqa: S314
        twiml.record_message(
            "Bitte <sprechen>",
            language="de-DE",
            max_seconds=90,
            action_url="https://x/l",
            recording_callback="https://x/r",
        )
    )

    assert (say.attrib, say.text, end.tag) == ({"language": "de-DE"}, "Bitte <sprechen>", "Hangup")
    assert record.attrib.items() >= {
        ("action", "https://x/l"), ("maxLength", "90"), ("timeout", "5"), ("finishOnKey", "#"), ("playBeep", "true"),
        ("recordingStatusCallback", "https://x/r"), ("recordingStatusCallbackEvent", "completed absent"),
    }  # fmt: skip


def test_control_characters_never_break_the_answer():
    [say, _] = ElementTree.fromstring(twiml.say_then("a\x00b\ud800c\nd", language="en-US", number=None))  # noqa: S314

    assert say.text == "a b c d"


def test_a_call_is_forwarded_in_our_name_and_for_so_long():
    words = twiml.dial(
        "+15557654321", caller_id="+15550100100", ring_s=20, time_limit_s=600, action_url="https://x/dialled"
    )
    [dial] = ElementTree.fromstring(words)  # noqa: S314

    asked = {"action": "https://x/dialled", "method": "POST"}
    assert (dial.tag, dial.attrib) == (
        "Dial",
        asked | {"callerId": "+15550100100", "timeout": "20", "timeLimit": "600"},
    )
    assert [(number.tag, number.text) for number in dial] == [("Number", "+15557654321")]


def test_a_rejection_says_why():
    assert '<Reject reason="busy" />' in twiml.reject("busy")
    assert '<Reject reason="rejected" />' in twiml.reject("rejected")


def test_hanging_up_is_one_verb():
    assert twiml.hang_up().endswith("<Response><Hangup /></Response>")


def test_first_words_are_said_before_anybody_records():
    [say, start, verb, _] = connect(
        first_words="Dieses Gespräch wird <aufgezeichnet>.", recording_callback="https://x/r"
    )

    assert (say.tag, say.text, say.attrib) == ("Say", "Dieses Gespräch wird <aufgezeichnet>.", {"language": "de-DE"})
    assert (start.tag, verb.tag) == ("Start", "Connect")
