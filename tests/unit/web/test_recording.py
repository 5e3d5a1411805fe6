from xml.etree import ElementTree

import httpx
import pytest

from app.conf.models import AgentConf
from app.conf.models.recording import RecordingPolicy
from app.errors import DatabaseError
from app.twilio.recordings import Course, Notice
from tests.unit.twilio.accounts import CALL, OURS
from tests.unit.web.house import ORIGIN, House, webhook_fields

RECORDING = "RE" + "7" * 32


def callback(**changes: str) -> dict[str, str]:
    about = {"RecordingSid": RECORDING, "RecordingStatus": "completed", "ErrorCode": "0"}
    return webhook_fields(**(about | changes))


def recordings(response: httpx.Response) -> list[dict[str, str]]:
    """What a call's answer has Twilio record, before its stream."""
    verbs = list(ElementTree.fromstring(response.content))  # noqa: S314
    tags = [verb.tag for verb in verbs]
    return [child.attrib for verb in verbs[: tags.index("Connect")] if verb.tag == "Start" for child in verb]


async def test_what_twilio_tells_of_a_recording_is_kept(house: House):
    response = await house.post("/twilio/recording", callback(RecordingUrl="https://evil.example.com/RE"))

    assert (response.status_code, response.content) == (204, b"")
    assert house.notices == [Notice(OURS, CALL, RECORDING, Course.READY)]


@pytest.mark.parametrize("signature", ["", "forged"])
async def test_what_twilio_did_not_sign_is_not_kept(house: House, signature: str):
    assert (await house.post("/twilio/recording", callback(), signature=signature)).status_code == 403
    assert house.notices == []


@pytest.mark.parametrize("changes", [{"RecordingSid": "RE1/../x"}, {"RecordingStatus": "fine"}])
async def test_a_malformed_callback_is_a_bad_request(house: House, changes: dict[str, str]):
    assert (await house.post("/twilio/recording", callback(**changes))).status_code == 400
    assert house.notices == []


async def test_what_can_be_kept_nowhere_is_not_acknowledged(house: House):
    async def nowhere(_notice: Notice) -> None:
        raise DatabaseError("away")

    house.change(recording_told=nowhere)

    assert (await house.post("/twilio/recording", callback())).status_code == 503


@pytest.mark.parametrize("source", ["twilio", "both"])
async def test_twilio_records_on_two_channels_without_trimming_from_before_the_stream(house: House, source: str):
    house.conf.agents["default"] = AgentConf(recording=RecordingPolicy(source=source))

    assert recordings(await house.post("/twilio/voice")) == [
        {
            "channels": "dual",
            "trim": "do-not-trim",
            "recordingStatusCallback": f"{ORIGIN}/twilio/recording",
            "recordingStatusCallbackEvent": "in-progress completed absent",
        }
    ]


@pytest.mark.parametrize("source", ["own", "none"])
async def test_twilio_records_nothing_for_an_agent_that_does_not_want_it(house: House, source: str):
    house.conf.agents["default"] = AgentConf(recording=RecordingPolicy(source=source))

    assert recordings(await house.post("/twilio/voice")) == []


async def test_a_reconnection_starts_no_second_recording(house: House):
    house.conf.agents["default"] = AgentConf(recording=RecordingPolicy(source="twilio"))

    assert recordings(await house.post("/twilio/after?attempt=1", webhook_fields(CallStatus="in-progress"))) == []
