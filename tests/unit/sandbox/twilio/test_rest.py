"""The REST API, asked by a plain HTTP client."""

from collections.abc import AsyncIterator

import httpx
import pytest

from app.sandbox.twilio import Destination, EndCause, SandboxTwilio
from tests.unit.sandbox.twilio.conftest import ACCOUNT
from tests.unit.sandbox.twilio.tiny_server import TOKEN, TinyServer

CALLS = f"/2010-04-01/Accounts/{ACCOUNT}/Calls"


@pytest.fixture
async def rest(twilio: SandboxTwilio) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=twilio.api_base_url, auth=(ACCOUNT, TOKEN), trust_env=False) as client:
        yield client


async def test_completed_hangs_up_a_live_call_and_ends_its_stream_with_stop(
    twilio: SandboxTwilio, server: TinyServer, rest: httpx.AsyncClient
):
    call = await twilio.place_call(to="+15550199", from_="+15550100")
    await call.wait_stream()
    answer = await rest.post(f"{CALLS}/{call.call_sid}.json", data={"Status": "completed"})

    assert (answer.status_code, answer.json()["status"]) == (200, "completed")
    assert await call.wait_ended() is EndCause.REST
    assert server.media[0].messages[-1]["event"] == "stop"
    [request] = twilio.requests
    assert (request.method, request.path, request.status) == ("POST", f"{CALLS}/{call.call_sid}.json", 200)
    assert request.form["Status"] == "completed"


async def test_a_call_that_is_over_answers_21220(twilio: SandboxTwilio, server: TinyServer, rest: httpx.AsyncClient):
    server.answer("/voice", "<Hangup/>")
    call = await twilio.place_call(to="+15550199", from_="+15550100")
    await call.wait_ended()
    answer = await rest.post(f"{CALLS}/{call.call_sid}.json", data={"Status": "completed"})

    assert (answer.status_code, answer.json()["code"]) == (400, 21220)


async def test_hanging_up_twice_answers_21220_even_before_the_end_has_been_told(
    twilio: SandboxTwilio, rest: httpx.AsyncClient
):
    call = await twilio.place_call(to="+15550199", from_="+15550100")
    await call.wait_stream()
    call.put_down()
    answer = await rest.post(f"{CALLS}/{call.call_sid}.json", data={"Status": "completed"})

    assert answer.json()["code"] == 21220
    assert await call.wait_ended() is EndCause.CALLER


@pytest.mark.parametrize("how", ["Twiml", "Url"])
async def test_a_redirect_ends_the_stream_with_stop_and_the_call_goes_on(
    twilio: SandboxTwilio, server: TinyServer, rest: httpx.AsyncClient, how: str
):
    server.answer("/voice", '<Connect action="/never"><Stream url="STREAM"/></Connect>')
    server.answer("/transfer", "<Dial>+4930</Dial>")
    twilio.destinations["+4930"] = Destination(talk_ms=None)
    twiml = {"Twiml": "<Response><Dial>+4930</Dial></Response>", "Url": f"{server.origin}/transfer"}[how]
    call = await twilio.place_call(to="+15550199", from_="+15550100")
    await call.wait_stream()
    answer = await rest.post(f"{CALLS}/{call.call_sid}.json", data={how: twiml})
    await call.wait_for(lambda call: type(call.timeline[-1]).__name__ == "VerbStarted")

    assert answer.json()["status"] == "in-progress"
    assert server.media[0].messages[-1]["event"] == "stop"
    assert call.status == "in-progress"
    await call.hang_up()
    assert server.hooks("/never") == []


async def test_an_unknown_call_is_20404_and_wrong_credentials_are_20003(twilio: SandboxTwilio, rest: httpx.AsyncClient):
    unknown = await rest.get(f"{CALLS}/CA00.json")
    wrong = await rest.get(f"{CALLS}.json", auth=(ACCOUNT, "guess"))
    other = await rest.get("/2010-04-01/Accounts/AC00/Calls.json")
    nowhere = await rest.get("/2010-04-01/Nothing.json")

    assert (unknown.status_code, unknown.json()["code"]) == (404, 20404)
    assert (wrong.status_code, wrong.json()["code"]) == (401, 20003)
    assert other.status_code == 401
    assert nowhere.status_code == 404
    assert unknown.json().keys() == {"code", "message", "more_info", "status"}


async def test_a_created_call_rings_is_answered_and_follows_its_twiml(
    twilio: SandboxTwilio, server: TinyServer, rest: httpx.AsyncClient
):
    answer = await rest.post(
        f"{CALLS}.json",
        data={
            "To": "+15550123",
            "From": "+15550199",
            "Twiml": f'<Response><Connect><Stream url="{server.stream_url}"/></Connect></Response>',
            "StatusCallback": f"{server.origin}/progress",
            "StatusCallbackEvent": ["initiated", "ringing", "answered", "completed"],
        },
    )
    call = await twilio.outbound_call()
    await call.wait_stream()
    await call.hang_up()

    assert answer.status_code == 201
    assert answer.json().items() >= {"sid": call.call_sid, "status": "queued", "direction": "outbound-api"}.items()
    hooks = server.hooks("/progress")
    assert [hook.form["CallStatus"] for hook in hooks] == ["queued", "ringing", "in-progress", "completed"]
    assert [hook.form["SequenceNumber"] for hook in hooks] == ["0", "1", "2", "3"]
    assert server.media[0].messages[1]["start"]["callSid"] == call.call_sid


async def test_a_created_call_with_a_url_fetches_its_twiml_once_answered(
    twilio: SandboxTwilio, server: TinyServer, rest: httpx.AsyncClient
):
    server.answer("/answered", "<Hangup/>")
    await rest.post(f"{CALLS}.json", data={"To": "+1", "From": "+2", "Url": f"{server.origin}/answered"})
    call = await twilio.outbound_call()
    await call.wait_ended()

    [hook] = server.hooks("/answered")
    assert (hook.form["Direction"], hook.form["CallStatus"]) == ("outbound-api", "in-progress")


@pytest.mark.parametrize("outcome", ["busy", "no-answer", "failed"])
async def test_a_call_nobody_answers_completes_with_that_status(
    twilio: SandboxTwilio, server: TinyServer, rest: httpx.AsyncClient, outcome: str
):
    twilio.destinations["+15550123"] = Destination(outcome, ring_ms=500)
    data = {"To": "+15550123", "From": "+2", "Twiml": "<Response/>", "StatusCallback": f"{server.origin}/progress"}
    await rest.post(f"{CALLS}.json", data=data)
    call = await twilio.outbound_call()

    assert await call.wait_ended() is EndCause.NOT_ANSWERED
    [hook] = server.hooks("/progress")
    assert hook.form["CallStatus"] == outcome


async def test_a_ringing_call_can_be_cancelled_and_a_live_one_cannot(twilio: SandboxTwilio, rest: httpx.AsyncClient):
    twilio.destinations["+15550123"] = Destination(ring_ms=600_000)
    data = {"To": "+15550123", "From": "+2", "Twiml": "<Response/>", "Timeout": "600"}
    await rest.post(f"{CALLS}.json", data=data)
    ringing = await twilio.outbound_call()
    live = await twilio.place_call(to="+15550199", from_="+15550100")
    await live.wait_stream()
    cancelled = await rest.post(f"{CALLS}/{ringing.call_sid}.json", data={"Status": "canceled"})
    refused = await rest.post(f"{CALLS}/{live.call_sid}.json", data={"Status": "canceled"})

    assert cancelled.json()["status"] == "canceled"
    assert await ringing.wait_ended() is EndCause.REST
    assert ringing.status == "canceled"
    assert refused.json()["code"] == 21220


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"To": ""}, 21201),
        ({"To": "anybody"}, 21211),
        ({"From": ""}, 21213),
        ({"From": "me"}, 21212),
        ({"Twiml": ""}, 21205),
        ({"Twiml": "x" * 4001}, 21626),
    ],
)
async def test_a_call_that_cannot_be_created_says_why(
    twilio: SandboxTwilio, rest: httpx.AsyncClient, change: dict[str, str], code: int
):
    answer = await rest.post(f"{CALLS}.json", data={"To": "+1", "From": "+2", "Twiml": "<Response/>"} | change)

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert twilio.calls == {}


async def test_calls_can_be_listed_and_fetched(twilio: SandboxTwilio, rest: httpx.AsyncClient):
    call = twilio.ring(to="+15550199", from_="+15550100")
    listed = (await rest.get(f"{CALLS}.json")).json()["calls"]
    fetched = (await rest.get(f"{CALLS}/{call.call_sid}.json")).json()

    assert listed == [fetched]
    assert (fetched["sid"], fetched["status"], fetched["to"]) == (call.call_sid, "ringing", "+15550199")


async def test_the_api_fails_as_often_as_it_is_told_to(twilio: SandboxTwilio, rest: httpx.AsyncClient):
    twilio.fail_rest(429, code=20429, times=2)
    answers = [await rest.get(f"{CALLS}.json") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].json()["code"] == 20429
    assert [request.status for request in twilio.requests] == [429, 429, 200]


async def test_the_api_can_hang_until_the_client_gives_up(twilio: SandboxTwilio, rest: httpx.AsyncClient):
    twilio.fail_rest(None)
    with pytest.raises(httpx.ReadTimeout):
        await rest.get(f"{CALLS}.json", timeout=0.05)

    assert [request.status for request in twilio.requests] == [0]
    assert (await rest.get(f"{CALLS}.json")).status_code == 200


async def test_a_creation_whose_answer_is_lost_has_made_a_call_that_the_list_shows(
    twilio: SandboxTwilio, server: TinyServer, rest: httpx.AsyncClient
):
    server.answer("/voice", "<Hangup/>")
    twilio.fail_rest(503, acts=True)
    form = {"To": "+15550199", "From": "+15550100", "Url": f"{server.origin}/voice"}
    lost = await rest.post(f"{CALLS}.json", data=form)
    call = await twilio.outbound_call()
    listed = await rest.get(f"{CALLS}.json", params={"To": "+15550199", "From": "+15550100"})
    others = await rest.get(f"{CALLS}.json", params={"To": "+15550198"})

    assert lost.status_code == 503
    assert [each["sid"] for each in listed.json()["calls"]] == [call.call_sid]
    assert listed.json()["calls"][0]["date_created"].endswith("+0000")
    assert others.json()["calls"] == []
    await call.hang_up()


@pytest.mark.parametrize(("mode", "word"), [("Enable", "machine_start"), ("DetectMessageEnd", "machine_end_beep")])
async def test_who_picked_up_is_told_while_the_call_goes_on(
    twilio: SandboxTwilio, server: TinyServer, rest: httpx.AsyncClient, mode: str, word: str
):
    server.answer("/voice", '<Pause length="60"/>')
    server.answer("/amd", "")
    twilio.destinations["+15550100"] = Destination(ring_ms=0, answered_by="machine", listened_ms=500)
    form = {
        "To": "+15550100",
        "From": "+15550199",
        "Url": f"{server.origin}/voice",
        "MachineDetection": mode,
        "AsyncAmd": "true",
    }
    await rest.post(f"{CALLS}.json", data=form | {"AsyncAmdStatusCallback": f"{server.origin}/amd"})
    call = await twilio.outbound_call()
    await call.wait_for(lambda _: bool(server.hooks("/amd")))
    await call.hang_up()

    [hook] = server.hooks("/amd")
    assert (hook.form["AnsweredBy"], hook.form["CallSid"]) == (word, call.call_sid)
    assert "To" not in hook.form


async def test_listening_for_machines_without_a_callback_is_21262(
    twilio: SandboxTwilio, server: TinyServer, rest: httpx.AsyncClient
):
    server.answer("/voice", '<Pause length="1"/>')
    form = {"To": "+15550100", "From": "+15550199", "Url": f"{server.origin}/voice"}
    await rest.post(f"{CALLS}.json", data=form | {"MachineDetection": "Enable", "AsyncAmd": "true"})
    call = await twilio.outbound_call()
    await call.wait_ended()

    assert [warned.code for warned in call.warnings] == [21262]


@pytest.mark.parametrize(
    ("form", "code"),
    [({}, 21604), ({"To": "+15550199"}, 21603), ({"To": "+15550199", "From": "+15550100"}, 21602),
     ({"To": "me", "From": "+15550100", "Body": "x"}, 21211)],
)  # fmt: skip
async def test_a_text_message_needs_both_numbers_and_words(
    twilio: SandboxTwilio, rest: httpx.AsyncClient, form: dict[str, str], code: int
):
    answer = await rest.post(f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json", data=form)
    assert (answer.status_code, answer.json()["code"], twilio.messages) == (400, code, [])


async def test_text_messages_are_kept(twilio: SandboxTwilio, rest: httpx.AsyncClient):
    form = {"To": "+15550199", "From": "+15550100", "Body": "Hello"}
    answer = await rest.post(f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json", data=form)

    assert (answer.status_code, answer.json()["status"]) == (201, "queued")
    [message] = twilio.messages
    assert (message["to"], message["from"], message["body"]) == ("+15550199", "+15550100", "Hello")
