import asyncio
from xml.etree import ElementTree

import httpx
import pytest
from structlog.testing import capture_logs

from app.call.status import EndReason
from app.conf.models import NumberConf
from app.errors import SecretsError
from tests.unit.twilio.accounts import CALL, OTHER_TOKEN, OURS, THEIRS, TOKEN, account, sha256, sign
from tests.unit.web.house import NUMBER, ORIGIN, House, agent_with_fallback, webhook_fields

VERIFIED = ["voice", "after", "fallback", "status", "recording", "stream-status", "amd"]


def verbs(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/xml")
    return [verb.tag for verb in ElementTree.fromstring(response.content)]  # noqa: S314


async def dialled(house: House) -> int:
    """How often the model was dialled, once everything that was started has run."""
    for _ in range(5):
        await asyncio.sleep(0)
    return house.model.dials


# who gets in


@pytest.mark.parametrize("path", VERIFIED)
@pytest.mark.parametrize(
    "signature", ["", "forged", sign(f"{ORIGIN}/twilio/voice", webhook_fields(), token=OTHER_TOKEN)]
)
async def test_what_twilio_did_not_sign_is_refused_and_leaves_no_trace(house: House, path: str, signature: str):
    response = await house.post(f"/twilio/{path}", signature=signature)

    assert response.status_code == 403
    assert (await dialled(house), house.lobby.waiting, house.lobby.answer(CALL)) == (0, 0, None)


async def test_an_altered_query_is_refused(house: House):
    signature = sign(f"{ORIGIN}/twilio/after?attempt=3", webhook_fields())

    assert (await house.post("/twilio/after?attempt=1", signature=signature)).status_code == 403


async def test_refusals_fill_no_log_and_name_neither_body_nor_signature(house: House):
    with capture_logs() as lines:
        for _ in range(50):
            await house.post("/twilio/voice", signature="forged")

    assert len(lines) == 1
    assert "15551234567" not in str(lines)
    assert "forged" not in str(lines)


@pytest.mark.parametrize("path", VERIFIED)
async def test_without_any_auth_token_nothing_is_open(house: House, path: str):
    house.conf.accounts = []
    response = await house.post(f"/twilio/{path}")

    assert response.status_code == 503
    assert "auth token" in response.json()["detail"]


@pytest.mark.parametrize("path", VERIFIED)
async def test_without_a_public_url_nothing_is_open(house: House, path: str):
    house.change(public_url=None)
    response = await house.post(f"/twilio/{path}")

    assert response.status_code == 503
    assert "PUBLIC_URL" in response.json()["detail"]


async def test_an_account_speaks_only_for_itself(house: House):
    house.conf.accounts = [account(), account(THEIRS, OTHER_TOKEN)]

    assert (await house.post("/twilio/voice", webhook_fields(AccountSid=THEIRS))).status_code == 403
    fields = webhook_fields(AccountSid=THEIRS)
    signature = sign(f"{ORIGIN}/twilio/voice", fields, token=OTHER_TOKEN)
    assert (await house.post("/twilio/voice", fields, signature=signature)).status_code == 200


@pytest.mark.parametrize("call_sid", ["", "CA1", "XX" + "1" * 32, CALL + "/../x"])
async def test_a_malformed_call_sid_is_a_bad_request(house: House, call_sid: str):
    assert (await house.post("/twilio/voice", webhook_fields(CallSid=call_sid))).status_code == 400


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"CallSid=%FF%FE", "application/x-www-form-urlencoded"),
        (b"\xff\xfe", "application/x-www-form-urlencoded"),
        (b"a=1&" * 2000, "application/x-www-form-urlencoded"),
        (b"--x", "multipart/form-data; boundary=x"),
        (b"hello", "text/plain"),
    ],
)
async def test_an_unreadable_body_is_a_bad_request(house: House, body: bytes, content_type: str):
    headers = {"X-Twilio-Signature": sign(f"{ORIGIN}/twilio/voice"), "Content-Type": content_type}
    response = await house.request("POST", "/twilio/voice", content=body, headers=headers)

    assert response.status_code == 400


async def test_json_is_never_taken_for_the_fields_of_a_call(house: House):
    body = b'{"CallSid": "CA"}'
    path = f"/twilio/voice?bodySHA256={sha256(body)}"
    headers = {"X-Twilio-Signature": sign(ORIGIN + path), "Content-Type": "application/json"}

    assert (await house.request("POST", path, content=body, headers=headers)).status_code == 403


async def test_an_unreadable_account_is_no_reason_to_let_anybody_in(house: House, monkeypatch: pytest.MonkeyPatch):
    def unreadable() -> None:
        raise SecretsError("no key fits")

    monkeypatch.setattr(house.conf, "twilio_accounts", unreadable)

    assert (await house.post("/twilio/voice")).status_code == 503


# answering


async def test_a_call_is_answered_with_a_stream_that_carries_a_token_of_its_own(house: House):
    response = await house.post("/twilio/voice")

    assert verbs(response) == ["Connect", "Redirect"]
    [[stream], redirect] = ElementTree.fromstring(response.content)  # noqa: S314
    assert stream.attrib["url"] == "wss://calls.example.com/twilio/media"
    assert redirect.text == f"{ORIGIN}/twilio/after?attempt=1"
    parameters = {parameter.attrib["name"]: parameter.attrib["value"] for parameter in stream}
    ticket = await house.services.tokens.redeem(parameters, call_sid=CALL, account_sid=OURS)
    assert (ticket.agent, ticket.agent_version, ticket.to_number, ticket.attempt) == ("default", 7, NUMBER, 0)
    assert TOKEN not in response.text


async def test_get_works_as_well(house: House):
    path = f"/twilio/voice?{httpx.QueryParams(webhook_fields())}"

    assert verbs(await house.request("GET", path, headers={"X-Twilio-Signature": sign(ORIGIN + path)})) == [
        "Connect",
        "Redirect",
    ]


async def test_the_session_is_opened_while_twilio_connects_the_stream(house: House):
    await house.post("/twilio/voice")

    assert await dialled(house) == 1
    assert house.lobby.waiting == 1


async def test_a_repeated_webhook_gets_the_same_answer_and_dials_once(house: House):
    first = await house.post("/twilio/voice")
    house.calls.draining = True
    second = await house.post("/twilio/voice")

    assert first.content == second.content
    assert await dialled(house) == 1


async def test_a_webhook_replayed_after_its_call_dials_nobody(house: House):
    house.calls.endings[CALL] = EndReason.CALLER_HANGUP

    assert verbs(await house.post("/twilio/voice")) == ["Hangup"]
    assert await dialled(house) == 0


async def test_the_numbers_own_agent_answers_and_its_fallback_number_wins(house: House):
    house.conf.agents["support"] = agent_with_fallback()
    house.conf.numbers[NUMBER] = NumberConf(agent="support", fallback_number="+15550000002")
    response = await house.post("/twilio/voice")

    assert verbs(response) == ["Connect", "Say", "Dial"]
    assert "Leider nicht da." in response.text
    assert "+15550000002" in response.text


async def test_a_draining_process_turns_calls_away_without_a_dial(house: House):
    house.calls.draining = True
    response = await house.post("/twilio/voice")

    assert 'reason="busy"' in response.text
    assert await dialled(house) == 0


async def test_calls_whose_stream_is_on_its_way_count_as_well(house: House):
    answers = [await house.post("/twilio/voice", webhook_fields(CallSid=f"CA{n:032}")) for n in range(11)]

    assert [verbs(answer)[0] for answer in answers] == ["Connect"] * 10 + ["Reject"]


async def test_a_number_that_nobody_answers_is_rejected(house: House):
    house.conf.numbers.clear()
    response = await house.post("/twilio/voice")

    assert verbs(response) == ["Reject"]
    assert 'reason="rejected"' in response.text


async def test_a_broken_agent_is_an_apology_and_never_an_error(house: House):
    house.conf.numbers["default"] = NumberConf(agent="gone", fallback_number="+15550000002")
    response = await house.post("/twilio/voice")

    assert verbs(response) == ["Say", "Dial"]
    assert "+15550000002" in response.text


@pytest.mark.parametrize("caller", ["", "anonymous", "sip:" + "x" * 5000 + "@example.com", "client:zoë", "+266696687"])
async def test_every_kind_of_caller_is_answered(house: House, caller: str):
    assert verbs(await house.post("/twilio/voice", webhook_fields(From=caller)))[0] == "Connect"


# after the stream


async def after(house: House, attempt: str = "1", **fields: str) -> httpx.Response:
    return await house.post(f"/twilio/after?attempt={attempt}", webhook_fields(CallStatus="in-progress", **fields))


@pytest.mark.parametrize("reason", [None, EndReason.STREAM_LOST, EndReason.ERROR])
async def test_a_lost_stream_is_connected_again(house: House, reason: EndReason | None):
    if reason:
        house.calls.endings[CALL] = reason
    response = await after(house)

    assert verbs(response) == ["Connect", "Redirect"]
    assert "attempt=2" in response.text
    assert await dialled(house) == 1


async def test_a_reconnection_asked_for_twice_gets_one_answer_and_one_dial(house: House):
    assert (await after(house)).content == (await after(house)).content
    assert await dialled(house) == 1


async def test_a_stream_that_twilio_lost_before_we_noticed_ends_first(house: House):
    house.calls.live.add(CALL)

    assert verbs(await after(house)) == ["Connect", "Redirect"]
    assert house.calls.ended(CALL) is EndReason.STREAM_LOST


@pytest.mark.parametrize("attempt", ["3", "0", "-1", "x", "", "99999999999999999999"])
async def test_there_are_two_reconnections_and_then_a_goodbye(house: House, attempt: str):
    assert verbs(await after(house, attempt)) == ["Say", "Hangup"]
    assert await dialled(house) == 0


async def test_each_reconnection_has_a_token_of_its_own(house: House):
    first, second = await after(house, "1"), await after(house, "2")

    assert "attempt=3" in second.text
    assert first.content != second.content


@pytest.mark.parametrize("reason", [EndReason.AGENT_HANGUP, EndReason.CALLER_HANGUP, EndReason.DRAINED])
async def test_nothing_follows_a_call_that_ended_in_order(house: House, reason: EndReason):
    house.calls.endings[CALL] = reason

    assert verbs(await after(house)) == ["Hangup"]


async def test_a_model_that_failed_is_followed_by_the_fallback(house: House):
    house.conf.agents["default"] = agent_with_fallback()
    house.calls.endings[CALL] = EndReason.MODEL_LOST

    assert verbs(await after(house)) == ["Say", "Dial"]


async def test_a_phone_call_that_is_over_is_not_connected_again(house: House):
    assert verbs(await house.post("/twilio/after?attempt=1", webhook_fields(CallStatus="completed"))) == ["Hangup"]


# the fallback URL


async def test_the_fallback_needs_no_configuration_at_all(house: House):
    house.conf.loaded = False
    house.conf.accounts = []

    assert verbs(await house.post("/twilio/fallback", signature="")) == ["Say", "Hangup"]


async def test_the_fallback_dials_the_number_it_knows(house: House):
    house.conf.agents["default"] = agent_with_fallback()

    assert verbs(await house.post("/twilio/fallback", webhook_fields(ErrorCode="11200"))) == ["Say", "Dial"]


async def test_the_fallback_survives_a_broken_agent(house: House):
    house.conf.agents.clear()

    assert verbs(await house.post("/twilio/fallback")) == ["Say", "Hangup"]


# callbacks


@pytest.mark.parametrize("path", ["status", "stream-status", "amd"])
async def test_a_callback_is_taken_note_of(house: House, path: str):
    response = await house.post(f"/twilio/{path}")

    assert (response.status_code, response.content) == (204, b"")


async def test_a_phone_call_that_is_over_ends_the_call_that_did_not_notice(house: House):
    house.calls.live.add(CALL)
    await house.post("/twilio/status", webhook_fields(CallStatus="in-progress"))
    assert house.calls.is_live(CALL)

    await house.post("/twilio/status", webhook_fields(CallStatus="completed"))
    assert house.calls.ended(CALL) is EndReason.CALLER_HANGUP


async def test_a_caller_who_hangs_up_before_the_stream_costs_no_session(house: House):
    await house.post("/twilio/voice")
    assert await dialled(house) == 1

    await house.post("/twilio/status", webhook_fields(CallStatus="completed"))
    async with asyncio.timeout(1):
        await house.model.sessions[0].closed.wait()
