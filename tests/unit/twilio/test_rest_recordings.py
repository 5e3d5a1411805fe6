from base64 import b64decode
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from app.errors import CarrierApiError
from app.twilio.recordings import Course, Notice
from app.twilio.rest import TwilioRest
from app.twilio.rest_recordings import RecordingsRest
from tests.unit.twilio.accounts import CALL, OURS, TOKEN, account
from tests.unit.twilio.test_recordings import RECORDING

API = "https://api.example.com"
SOUND = f"{API}/2010-04-01/Accounts/{OURS}/Recordings/{RECORDING}.wav?RequestedChannels=2"
ELSEWHERE = "https://storage.example.net/x?signed=1"
Answer = httpx.Response | Exception


class Twilio:
    """Answers by address and remembers who came; an address that is not here must not be asked."""

    def __init__(self, answers: dict[str, Answer], base_url: str = API) -> None:
        self._answers = answers
        self._base_url = base_url
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers[str(request.url)]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def rest(self) -> RecordingsRest:
        client = httpx.AsyncClient(transport=httpx.MockTransport(self))
        return RecordingsRest(TwilioRest(client, account(), base_url=self._base_url, carrier_s=0.5))


def sound(body: bytes = b"sound") -> httpx.Response:
    return httpx.Response(200, stream=httpx.ByteStream(body))


def moved(to: str) -> httpx.Response:
    return httpx.Response(302, headers={"Location": to})


async def test_the_sound_is_fetched_from_the_configured_api_by_its_sid_and_signed_in(tmp_path: Path):
    twilio = Twilio({SOUND: sound()})
    await twilio.rest().fetch(RECORDING, tmp_path / "x.wav")

    assert (tmp_path / "x.wav").read_bytes() == b"sound"
    [request] = twilio.requests
    assert b64decode(request.headers["authorization"].removeprefix("Basic ")).decode() == f"{OURS}:{TOKEN}"


async def test_a_redirection_is_followed_and_the_credentials_stay_behind_for_good(tmp_path: Path):
    back = f"{API}/anything"
    twilio = Twilio({SOUND: moved(ELSEWHERE), ELSEWHERE: moved(back), back: sound()})
    await twilio.rest().fetch(RECORDING, tmp_path / "x.wav")

    assert [str(request.url) for request in twilio.requests] == [SOUND, ELSEWHERE, back]
    assert ["authorization" in request.headers for request in twilio.requests] == [True, False, False]


async def test_a_redirection_within_the_api_stays_signed_in(tmp_path: Path):
    twilio = Twilio({SOUND: moved("/media/x"), f"{API}/media/x": sound()})
    await twilio.rest().fetch(RECORDING, tmp_path / "x.wav")

    assert "authorization" in twilio.requests[1].headers


@pytest.mark.parametrize(
    "to",
    [
        "http://storage.example.net/x",
        "http://127.0.0.1/x",
        "http://api.example.com/x",
        "file:///etc/passwd",
        "data:,x",
    ],
)
async def test_a_redirection_to_anything_but_https_is_not_followed(tmp_path: Path, to: str):
    twilio = Twilio({SOUND: moved(to)})
    with pytest.raises(CarrierApiError, match=r"redirected|cannot be reached"):
        await twilio.rest().fetch(RECORDING, tmp_path / "x.wav")

    assert len(twilio.requests) == 1


async def test_only_a_rehearsal_on_this_machine_may_redirect_to_http_on_this_machine(tmp_path: Path):
    here = SOUND.replace(API, "http://127.0.0.1:9002")
    answers = {
        here: moved("http://localhost:9003/x"),
        "http://localhost:9003/x": sound(),
    }
    twilio = Twilio(answers, "http://127.0.0.1:9002")
    await twilio.rest().fetch(RECORDING, tmp_path / "x.wav")

    assert "authorization" not in twilio.requests[1].headers


async def test_the_fourth_redirection_is_one_too_many(tmp_path: Path):
    twilio = Twilio({SOUND: moved(ELSEWHERE), ELSEWHERE: moved(ELSEWHERE)})
    with pytest.raises(CarrierApiError, match="more than 3"):
        await twilio.rest().fetch(RECORDING, tmp_path / "x.wav")

    assert len(twilio.requests) == 4


async def breaks_off() -> AsyncIterator[bytes]:
    yield b"half"
    raise httpx.ReadError("gone")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda: httpx.Response(200, headers={"Content-Length": "8"}, content=breaks_off()), "ReadError"),
        (lambda: httpx.Response(200, headers={"Content-Length": "9"}, stream=httpx.ByteStream(b"half")), "4 of 9"),
        (lambda: sound(b"x" * 101), "more than 100"),
        (lambda: httpx.ConnectError("no"), "cannot be reached"),
        (lambda: httpx.Response(503), "503"),
    ],
)
async def test_half_a_recording_and_one_that_never_ends_are_errors(
    tmp_path: Path, answer: Callable[[], Answer], why: str
):
    with pytest.raises(CarrierApiError, match=why):
        await Twilio({SOUND: answer()}).rest().fetch(RECORDING, tmp_path / "x.wav", most_bytes=100)


async def test_a_recording_that_is_not_there_says_so(tmp_path: Path):
    with pytest.raises(CarrierApiError) as caught:
        await Twilio({SOUND: httpx.Response(404)}).rest().fetch(RECORDING, tmp_path / "x.wav")

    assert caught.value.status == 404
    assert TOKEN not in str(caught.value)


async def test_what_is_no_sid_of_a_recording_asks_for_nothing(tmp_path: Path):
    twilio = Twilio({})
    for sid in ("../Calls", RECORDING + "/..", ""):
        with pytest.raises(ValueError, match="SID"):
            await twilio.rest().fetch(sid, tmp_path / "x.wav")
        with pytest.raises(ValueError, match="SID"):
            await twilio.rest().delete(sid)

    assert twilio.requests == []


LIST = f"{API}/2010-04-01/Accounts/{OURS}/Calls/{CALL}/Recordings.json"


async def test_the_recordings_of_a_call_are_what_twilio_says_of_them():
    found = [
        {"sid": RECORDING, "call_sid": CALL, "status": "completed", "error_code": None},
        {"sid": "RE" + "8" * 32, "call_sid": CALL, "status": "absent", "error_code": 16102},
        {"sid": "RE" + "9" * 32, "call_sid": CALL, "status": "of a kind to come"},
    ]
    notices = await Twilio({LIST: httpx.Response(200, json={"recordings": found, "page": 0})}).rest().of_call(CALL)

    assert notices == [
        Notice(OURS, CALL, RECORDING, Course.READY),
        Notice(OURS, CALL, "RE" + "8" * 32, Course.ABSENT, "the recording was silent"),
    ]


async def test_a_list_that_cannot_be_read_is_an_error():
    with pytest.raises(CarrierApiError, match="cannot be read"):
        await Twilio({LIST: httpx.Response(200, text="<html>")}).rest().of_call(CALL)


@pytest.mark.parametrize("status", [204, 404])
async def test_a_recording_that_is_gone_is_deleted(status: int):
    twilio = Twilio({SOUND.replace(".wav?RequestedChannels=2", ".json"): httpx.Response(status)})
    await twilio.rest().delete(RECORDING)

    assert [request.method for request in twilio.requests] == ["DELETE"]


async def test_a_recording_that_cannot_be_deleted_is_an_error():
    with pytest.raises(CarrierApiError, match="500"):
        await Twilio({SOUND.replace(".wav?RequestedChannels=2", ".json"): httpx.Response(500)}).rest().delete(RECORDING)
