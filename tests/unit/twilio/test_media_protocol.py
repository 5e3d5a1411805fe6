"""Media Streams messages, in and out."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import app.sandbox.data
from app.errors import MediaProtocolError
from app.twilio import media_protocol
from app.twilio.media_protocol import Dtmf, Ignored, MarkReached, Media, Started, Stopped, decode

SAMPLES = Path(next(iter(app.sandbox.data.__path__))) / "twilio"


def sample(name: str) -> str:
    return (SAMPLES / f"{name}.json").read_text()


def test_every_documented_message_is_understood():
    assert decode(sample("connected")) == Ignored("connected")
    started = decode(sample("start"))
    assert isinstance(started, Started)
    assert started.call_sid.startswith("CA")
    assert started.account_sid.startswith("AC")
    assert isinstance(decode(sample("media")), Media)
    assert isinstance(decode(sample("dtmf")), Dtmf)
    assert isinstance(decode(sample("mark")), MarkReached)
    assert decode(sample("stop")) == Stopped()


def test_numbers_come_as_strings_and_the_payload_stays_closed():
    frame = {"event": "media", "media": {"track": "inbound", "chunk": "7", "timestamp": "140", "payload": "////"}}
    assert decode(json.dumps(frame)) == Media("////", at_ms=140, chunk=7)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[]",
        "[" * 10_000,
        '{"event":"media"}',
        '{"event":"start"}',
        '{"event":5}',
        '{"event":"media","media":{"payload":5}}',
        '{"event":"media","media":{"payload":"AA==","timestamp":"soon"}}',
        '{"event":"media","media":{"payload":"AA==","chunk":"' + "9" * 5000 + '"}}',
        r'{"event":"media","media":{"payload":"\",\"type\":\"session.update"}}',
        r'{"event":"media","media":{"payload":"\\u0022"}}',
    ],
)
def test_what_is_broken_raises(text):
    with pytest.raises(MediaProtocolError):
        decode(text)


def test_unknown_kinds_and_fields_pass():
    assert decode('{"event":"news","news":{"a":1}}') == Ignored("news")
    assert decode('{"event":"mark","mark":{"name":"m1","new":1},"more":[]}') == MarkReached("m1")


@given(st.text())
def test_any_text_is_an_event_or_a_protocol_error(text):
    try:
        decode(text)
    except MediaProtocolError:
        return


def test_what_we_send_has_exactly_the_documented_fields():
    def documented(name: str) -> dict:
        return json.loads((SAMPLES / "to_twilio" / f"{name}.json").read_text())

    def shape(message: dict) -> dict:
        return {key: shape(value) if isinstance(value, dict) else None for key, value in message.items()}

    assert shape(json.loads(media_protocol.media("MZ1", "AA=="))) == shape(documented("media"))
    assert shape(json.loads(media_protocol.mark("MZ1", "m1"))) == shape(documented("mark"))
    assert shape(json.loads(media_protocol.clear("MZ1"))) == shape(documented("clear"))
