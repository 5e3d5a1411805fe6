import pytest

from app.errors import Refused
from app.twilio.recordings import Course, Notice, creation_fields, read_callback
from tests.unit.twilio.accounts import CALL, OURS

RECORDING = "RE" + "7" * 32


def callback(**changes: str) -> dict[str, str]:
    return {
        "AccountSid": OURS,
        "CallSid": CALL,
        "RecordingSid": RECORDING,
        "RecordingStatus": "completed",
        "RecordingUrl": "https://evil.example.com/x",
        "ErrorCode": "0",
    } | changes


def test_a_completed_recording_is_ready_and_error_code_0_is_success():
    assert read_callback(callback()) == Notice(OURS, CALL, RECORDING, Course.READY)


def test_nothing_of_the_callbacks_url_is_kept():
    assert "evil" not in repr(read_callback(callback()))


@pytest.mark.parametrize("status", ["in-progress", "paused", "stopped", "processing"])
def test_a_recording_that_is_still_made_is_going_on(status: str):
    assert read_callback(callback(RecordingStatus=status)).course is Course.GOING_ON


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("16101", "the recording was too short"),
        ("16102", "the recording was silent"),
        ("0", "Twilio calls the recording absent, without a reason"),
        ("16999", "Twilio calls the recording absent (code 16999)"),
    ],
)
def test_an_absent_recording_says_why(code: str, reason: str):
    news = read_callback(callback(RecordingStatus="absent", ErrorCode=code))

    assert (news.course, news.reason) == (Course.ABSENT, reason)


@pytest.mark.parametrize(
    "changes",
    [
        {"RecordingSid": ""},
        {"RecordingSid": "RE1"},
        {"RecordingSid": RECORDING + "/../../Calls"},
        {"RecordingSid": RECORDING + "\n"},
        {"RecordingStatus": ""},
        {"RecordingStatus": "splendid"},
    ],
)
def test_what_is_no_news_of_a_recording_is_refused(changes: dict[str, str]):
    with pytest.raises(Refused):
        read_callback(callback(**changes))


def test_a_call_that_we_place_is_recorded_on_two_channels_without_trimming():
    assert creation_fields("https://calls.example.com") == {
        "Record": "true",
        "RecordingChannels": "dual",
        "Trim": "do-not-trim",
        "RecordingStatusCallback": "https://calls.example.com/twilio/recording",
        "RecordingStatusCallbackEvent": "in-progress completed absent",
    }
