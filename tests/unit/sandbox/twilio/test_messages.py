import json

import pytest

from app.audio import FRAME_BYTES, from_base64, to_base64
from app.errors import CarrierFault
from app.sandbox.twilio.disturbances import missing, repeated, swapped
from app.sandbox.twilio.messages import NON_CONFORMING, UNDECODABLE, Clear, Mark, Play, StreamMessages, read


@pytest.fixture
def messages() -> StreamMessages:
    return StreamMessages(stream_sid="MZ1", account_sid="AC1", call_sid="CA1", parameters={"agent": "support"})


def test_start_says_who_is_calling_in_the_documented_shape(messages: StreamMessages):
    assert json.loads(messages.connected()) == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
    assert json.loads(messages.start()) == {
        "event": "start",
        "sequenceNumber": "1",
        "streamSid": "MZ1",
        "start": {
            "streamSid": "MZ1",
            "accountSid": "AC1",
            "callSid": "CA1",
            "tracks": ["inbound"],
            "customParameters": {"agent": "support"},
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        },
    }


def test_every_message_of_a_stream_is_counted_and_numbers_are_strings(messages: StreamMessages):
    frame = bytes(range(FRAME_BYTES))
    sent = [
        json.loads(text)
        for text in (
            messages.start(),
            messages.media(1, frame),
            messages.media(2, None),
            messages.dtmf("#"),
            messages.mark('say "hi"'),
            messages.stop(),
        )
    ]

    assert [message["sequenceNumber"] for message in sent] == ["1", "2", "3", "4", "5", "6"]
    assert sent[1]["media"] == {"track": "inbound", "chunk": "1", "timestamp": "20", "payload": to_base64(frame)}
    assert from_base64(sent[2]["media"]["payload"]) == b"\xff" * FRAME_BYTES
    assert sent[3]["dtmf"] == {"track": "inbound_track", "digit": "#"}
    assert sent[4]["mark"] == {"name": 'say "hi"'}
    assert sent[5]["stop"] == {"accountSid": "AC1", "callSid": "CA1"}


def test_the_three_messages_of_a_server_are_understood():
    assert read('{"event":"media","streamSid":"MZ1","media":{"payload":"AAEC"}}', "MZ1") == Play(b"\x00\x01\x02")
    assert read('{"event":"mark","streamSid":"MZ1","mark":{"name":"a"}}', "MZ1") == Mark("a")
    assert read('{"event":"clear","streamSid":"MZ1"}', "MZ1") == Clear()


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "hello",
        "[]",
        '{"event":"clear"}',
        '{"event":"flush","streamSid":"MZ1"}',
        '{"event":"clear","streamSid":"MZ2"}',
        '{"event":"clear","streamSid":"MZ1","extra":1}',
        '{"event":"mark","streamSid":"MZ1"}',
        '{"event":"mark","streamSid":"MZ1","mark":{"name":1}}',
        '{"event":"mark","streamSid":"MZ1","mark":{"name":"a","at":1}}',
        '{"event":"media","streamSid":"MZ1","media":{"payload":"AAE"}}',
        '{"event":"media","streamSid":"MZ1","media":{"payload":"AA-_"}}',
        '{"event":"media","streamSid":"MZ1","media":{"payload":"AAEC","track":"outbound"}}',
        '{"event":"media","streamSid":"MZ1","media":{"payload":null}}',
        '{"a":' * 10_000,
    ],
)
def test_anything_else_is_refused_with_the_carrier_s_code(broken: str):
    with pytest.raises(CarrierFault) as refused:
        read(broken, "MZ1")
    assert refused.value.code == NON_CONFORMING


def test_a_binary_frame_has_a_code_of_its_own():
    with pytest.raises(CarrierFault) as refused:
        read(b'{"event":"clear","streamSid":"MZ1"}', "MZ1")
    assert refused.value.code == UNDECODABLE


def test_a_bad_line_loses_repeats_and_swaps_frames():
    def line(disturb):
        return [sent for chunk in range(1, 7) for sent in disturb(chunk, str(chunk))]

    assert line(missing(3)) == ["1", "2", "4", "5"]
    assert line(repeated(3)) == ["1", "2", "3", "3", "4", "5", "6", "6"]
    assert line(swapped(2)) == ["1", "3", "2", "5", "4"]
