import asyncio
from base64 import b64decode
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs

import httpx
import pytest
from pydantic import SecretStr

from app.conf.models import TwilioCoreConf
from app.errors import CarrierApiError, ConfMissing
from app.twilio.rest import TwilioRest, account_rest
from tests.unit.twilio.accounts import CALL, OURS, THEIRS, TOKEN, account

Act = Callable[[TwilioRest, str], Awaitable[None]]


class Twilio:
    """Answers requests in turn and remembers them."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def rest(self, conf: TwilioCoreConf | None = None, carrier_s: float = 0.01) -> TwilioRest:
        client = httpx.AsyncClient(transport=httpx.MockTransport(self))
        return TwilioRest(client, conf or account(), base_url="https://api.example.com/", carrier_s=carrier_s)


def error(status: int, code: int) -> httpx.Response:
    return httpx.Response(status, json={"code": code, "message": "no", "more_info": "x", "status": status})


async def test_hanging_up_completes_the_call():
    twilio = Twilio(httpx.Response(200, json={}))
    await twilio.rest().hang_up(CALL)

    [request] = twilio.requests
    assert str(request.url) == f"https://api.example.com/2010-04-01/Accounts/{OURS}/Calls/{CALL}.json"
    assert parse_qs(request.content.decode()) == {"Status": ["completed"]}
    assert b64decode(request.headers["authorization"].removeprefix("Basic ")).decode() == f"{OURS}:{TOKEN}"


async def test_an_api_key_signs_in_where_there_is_one():
    twilio = Twilio(httpx.Response(200, json={}))
    conf = account().model_copy(update={"api_key_sid": "SK1", "api_key_secret": SecretStr("secret")})
    await twilio.rest(conf).redirect(CALL, "<Response/>")

    [request] = twilio.requests
    assert b64decode(request.headers["authorization"].removeprefix("Basic ")) == b"SK1:secret"
    assert parse_qs(request.content.decode()) == {"Twiml": ["<Response/>"]}


@pytest.mark.parametrize("answer", [error(400, 21220), error(404, 20404)])
async def test_a_call_that_is_over_already_is_hung_up(answer: httpx.Response):
    twilio = Twilio(answer)
    await twilio.rest().hang_up(CALL)

    assert len(twilio.requests) == 1


async def test_a_call_that_is_over_already_cannot_be_redirected():
    with pytest.raises(CarrierApiError) as caught:
        await Twilio(error(400, 21220)).rest().redirect(CALL, "<Response/>")

    assert (caught.value.status, caught.value.code) == (400, 21220)


@pytest.mark.parametrize("trouble", [httpx.ConnectError("no"), error(429, 20429), httpx.Response(503, text="<html>")])
async def test_passing_trouble_is_met_with_one_more_try(trouble: httpx.Response | Exception):
    twilio = Twilio(trouble, httpx.Response(200, json={}))
    await twilio.rest().redirect(CALL, "<Response/>")

    assert len(twilio.requests) == 2


async def test_trouble_that_stays_is_an_error_that_holds_no_credentials():
    with pytest.raises(CarrierApiError) as caught:
        await Twilio(httpx.Response(500), httpx.Response(500)).rest().hang_up(CALL)

    assert caught.value.status == 500
    assert TOKEN not in str(caught.value) + repr(caught.value)


async def test_refused_credentials_are_not_tried_again():
    twilio = Twilio(error(401, 20003))
    with pytest.raises(CarrierApiError):
        await twilio.rest().hang_up(CALL)

    assert len(twilio.requests) == 1


async def test_a_silent_twilio_is_given_up_in_time():
    async def silent(_request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        return httpx.Response(200)

    client = httpx.AsyncClient(transport=httpx.MockTransport(silent))
    rest = TwilioRest(client, account(), base_url="https://api.example.com", carrier_s=0.01)
    async with asyncio.timeout(1):
        with pytest.raises(CarrierApiError, match="cannot be reached"):
            await rest.hang_up(CALL)


@pytest.mark.parametrize(
    ("act", "form"),
    [
        (TwilioRest.pause_recording, {"Status": ["paused"], "PauseBehavior": ["silence"]}),
        (TwilioRest.resume_recording, {"Status": ["in-progress"]}),
        (TwilioRest.stop_recording, {"Status": ["stopped"]}),
    ],
)
async def test_the_running_recording_of_a_call_can_be_held_and_ended(act: Act, form: dict[str, list[str]]):
    twilio = Twilio(httpx.Response(200, json={}))
    await act(twilio.rest(), CALL)

    [request] = twilio.requests
    assert request.url.path == f"/2010-04-01/Accounts/{OURS}/Calls/{CALL}/Recordings/Twilio.CURRENT.json"
    assert parse_qs(request.content.decode()) == form


@pytest.mark.parametrize("answer", [error(404, 20404), error(400, 21220)])
async def test_a_recording_that_runs_no_more_is_stopped(answer: httpx.Response):
    await Twilio(answer).rest().stop_recording(CALL)


async def test_a_pause_that_twilio_does_not_make_is_an_error():
    with pytest.raises(CarrierApiError, match="404"):
        await Twilio(error(404, 20404)).rest().pause_recording(CALL)


def test_an_account_that_is_not_ours_has_no_access():
    client = httpx.AsyncClient(transport=httpx.MockTransport(Twilio()))
    ours = account_rest([account()], OURS, client, base_url="https://api.example.com", carrier_s=1)

    assert ours.account_sid == OURS
    with pytest.raises(ConfMissing, match=THEIRS):
        account_rest([account()], THEIRS, client, base_url="https://api.example.com", carrier_s=1)
