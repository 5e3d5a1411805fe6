"""Whom an agent, a key or an operator may have called, and what becomes of a call whose caller is elsewhere."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.call.actions import TellModel
from app.call.elsewhere.away import CUT_IN
from app.call.elsewhere.hourly import HOUR_S, Hourly
from app.call.elsewhere.pressing import ELSEWHERE, PRESSED, Pressing
from app.call.elsewhere.pressing import TOO_OFTEN as PRESSED_TOO_OFTEN
from app.call.elsewhere.transferring import FAILED, TOO_OFTEN
from app.call.events import Kind
from app.call.status import CallStatus, EndReason
from app.call.tools.tool_calls import Asked, ToolCalls
from app.conf.models import SendDtmfTool
from app.errors import CarrierApiError, ToolError
from app.realtime.events import ResponseDone, ResponseStarted, SpeechStarted, ToolCall
from tests.unit.call.test_operator import CARRIER_S, CLAIM_S, COLLEAGUE, TOOL, FakeWays, House
from tests.unit.call.turns.test_flow import audio, play

KEYS = SendDtmfTool.model_validate({"type": "send_dtmf", "max_per_call": 2})


@pytest.fixture
async def house(tmp_path) -> AsyncIterator[House]:
    house = House(tmp_path)
    yield house
    await house.close()


def tools(house: House) -> ToolCalls:
    """The agent's tools, as the model reaches them."""
    pressing = Pressing(house.away, FakeWays(), note=house.note)
    own = {type(TOOL): house.transferring.run, SendDtmfTool: pressing.run}
    return ToolCalls([TOOL, KEYS], own=own, others=nobody, deadline_s=1.0)


async def nobody(_asked: Asked) -> str:
    raise AssertionError("no other tool is called here")


async def ask(house: House, destination: str = "desk") -> str:
    return await house.transferring.run(Asked("call_1", TOOL, {"destination": destination}))


async def refusal(work) -> str:
    with pytest.raises(ToolError) as refused:
        async with asyncio.timeout(1):
            await work
    return str(refused.value)


async def begun(house: House, times: int = 1) -> None:
    async with asyncio.timeout(1):
        while len(house.carrier.redirected) < times:  # noqa: ASYNC110 (there is no event)
            await asyncio.sleep(0)


def refuse(house: House, error: Exception | None = None) -> None:
    house.carrier.answer = asyncio.get_running_loop().create_future()
    if error:
        house.carrier.answer.set_exception(error)


# -- toll fraud


@pytest.mark.parametrize(
    "arguments",
    [
        '{"destination": "+15550100777"}',
        '{"destination": "+19005550100"}',
        '{"destination": "+442079460000"}',
        '{"destination": "sip:a@example.com"}',
        '{"destination": "client:me"}',
        '{"destination": "boss"}',
        '{"destination": "Desk"}',
        '{"destination": ["desk", "+19005550100"]}',
        '{"destination": "desk", "number": "+19005550100"}',
        '{"number": "+19005550100"}',
        "{}",
    ],
)
async def test_s18_the_model_reaches_nobody_whom_the_agents_conf_does_not_name(house: House, arguments: str):
    await refusal(tools(house).run(ToolCall("call_1", "transfer_call", arguments)))
    assert (house.carrier.redirected, house.told) == ([], [])


async def test_s18_a_destination_outside_of_the_accounts_prefixes_is_not_dialled_any_more(house: House):
    house.prefixes.clear()
    assert FAILED in await refusal(ask(house))
    await house.transferring.to("desk")
    assert house.carrier.redirected == []
    assert house.bridge.performed == [TellModel(FAILED, "system")]


async def test_s18_no_call_is_transferred_more_often_than_the_tool_allows(house: House):
    for times in (1, 2):
        transfer = asyncio.create_task(ask(house))
        await begun(house, times)
        house.transfer.dialled("busy", times)
        house.caller.come_back()
        assert (await transfer).startswith("The line was busy.")
    assert await refusal(ask(house)) == TOO_OFTEN
    await house.transferring.to("desk")
    assert len(house.carrier.redirected) == 2


async def test_s18_all_calls_together_make_no_more_transfers_in_an_hour_than_are_allowed(house: House):
    house.most = 1
    transfer = asyncio.create_task(ask(house))
    await begun(house)
    house.transfer.dialled("busy", 1)
    house.caller.come_back()
    await transfer
    assert "as many transfers" in await refusal(ask(house))
    assert len(house.carrier.redirected) == 1


def test_an_hour_later_there_is_room_again_and_none_means_no_limit():
    hourly = Hourly(lambda: 2)
    assert hourly.may(0)
    hourly.count(0)
    hourly.count(10)
    assert [hourly.may(now_s) for now_s in (11, HOUR_S - 1, HOUR_S)] == [False, False, True]
    boundless = Hourly(lambda: None)
    for _ in range(500):
        boundless.count(0)
    assert boundless.may(0)


async def test_a_key_puts_through_to_a_destination_by_its_name_only(house: House):
    await house.transferring.to("+15550100777")
    assert (house.carrier.redirected, house.bridge.performed) == ([], [TellModel(FAILED, "system")])
    transfer = asyncio.create_task(house.transferring.to("desk"))
    await begun(house)
    assert f"<Number>{COLLEAGUE}</Number>" in house.carrier.redirected[0]
    house.transfer.dialled("no-answer", 1)
    house.caller.come_back()
    await transfer
    assert house.bridge.performed[-1].text.startswith("Nobody answered.")


async def test_a_key_that_is_pressed_twice_puts_through_once_and_nobody_is_told_that_it_failed(house: House):
    refuse(house)  # its answer takes a while
    assert house.carrier.answer
    first, second = (asyncio.create_task(house.transferring.to("desk")) for _ in range(2))
    await second
    assert (len(house.carrier.redirected), house.bridge.performed) == (1, [])
    house.carrier.answer.set_result(None)
    house.transfer.dialled("busy", 1)
    house.caller.come_back()
    await first
    assert [told.text.startswith("The line was busy.") for told in house.bridge.performed] == [True]


# -- heard first


async def test_what_the_agent_says_is_heard_before_anybody_is_called(house: House):
    house.flow.on_agent(ResponseStarted("resp_1"), 0)
    play(house.flow, audio("item_1", 2000, "resp_1"))
    transfer = asyncio.create_task(ask(house))
    await asyncio.sleep(0)
    assert house.carrier.redirected == []
    house.flow.on_agent(SpeechStarted(), 500)
    assert await refusal(transfer) == CUT_IN
    assert (house.carrier.redirected, house.told) == ([], [])


async def test_of_several_ways_elsewhere_the_one_that_was_asked_for_first_is_gone(house: House):
    house.flow.on_agent(ResponseStarted("resp_1"), 0)
    first = asyncio.create_task(ask(house))
    await asyncio.sleep(0)
    second = asyncio.create_task(tools(house).run(ToolCall("call_2", "send_dtmf", '{"digits": "1"}')))
    house.flow.on_agent(ResponseDone("resp_1"), 10)
    assert await refusal(second) == ELSEWHERE
    assert "<Dial" in house.carrier.redirected[0]
    first.cancel()


# -- what the carrier says


async def test_f19_the_model_is_told_of_a_refusal_and_the_call_goes_on(house: House):
    refuse(house, CarrierApiError("no", status=400))
    assert FAILED in await refusal(ask(house))
    assert (house.caller.leaving, house.bridge.ended) == (False, [])
    assert house.moves == [CallStatus.TRANSFERRING, CallStatus.LIVE]
    assert [event.kind for event in house.told] == [Kind.TRANSFER_STARTED, Kind.TRANSFER_FAILED]
    assert await house.transfer.settle(EndReason.CALLER_HANGUP) is EndReason.CALLER_HANGUP
    assert house.transfer.dialled("busy", 1) is None


async def test_f19_a_carrier_that_never_answers_but_did_it_is_believed_by_the_streams_end(house: House):
    refuse(house, CarrierApiError("unreachable"))
    transfer = asyncio.create_task(ask(house))
    await begun(house)
    house.caller.go()
    house.transfer.dialled("no-answer", 1)
    house.caller.come_back()
    assert (await transfer).startswith("Nobody answered.")


async def test_f19_a_stream_that_ends_after_the_carrier_took_too_long_went_where_it_was_sent(house: House):
    refuse(house)  # its answer never comes
    transfer = asyncio.create_task(ask(house))
    await begun(house)
    await asyncio.sleep(CARRIER_S + 0.01)
    assert not transfer.done()
    house.caller.go()
    house.transfer.dialled("busy", 1)
    house.caller.come_back()
    assert (await transfer).startswith("The line was busy.")
    assert [event.kind for event in house.told] == [Kind.TRANSFER_STARTED, Kind.TRANSFER_RETURNED]


async def test_a_webhook_about_an_earlier_dial_changes_nothing_in_a_later_one(house: House):
    first = asyncio.create_task(ask(house))
    await begun(house)
    house.transfer.dialled("busy", 1)
    house.caller.come_back()
    await first
    second = asyncio.create_task(ask(house))
    await begun(house, 2)
    assert [house.transfer.dialled("busy", number) for number in (0, 1, 3)] == [None] * 3
    assert "Hangup" in (house.transfer.dialled("completed", 2) or "")
    assert house.bridge.ended == [EndReason.TRANSFERRED]
    second.cancel()


async def test_a_caller_who_hung_up_while_we_asked_is_gone(house: House):
    refuse(house)
    assert house.carrier.answer
    transfer = asyncio.create_task(refusal(ask(house)))
    await begun(house)
    house.caller.go()
    house.carrier.answer.set_exception(CarrierApiError("not in progress", status=400, code=21220))
    await transfer
    assert house.bridge.ended == [EndReason.CALLER_HANGUP]


async def test_nobody_waits_for_ever_for_a_stream_that_does_not_come_back(house: House):
    transfer = asyncio.create_task(ask(house))
    await begun(house)
    house.transfer.dialled("busy", 1)
    async with asyncio.timeout(1):
        while not house.bridge.ended:  # noqa: ASYNC110 (there is no event)
            await asyncio.sleep(0.01)
    assert house.bridge.ended == [EndReason.STREAM_LOST]
    transfer.cancel()


# -- how a call ends whose caller is elsewhere


@pytest.mark.parametrize(
    ("reason", "status", "ended"),
    [
        (EndReason.CALLER_HANGUP, "completed", EndReason.TRANSFERRED),
        (EndReason.CALLER_HANGUP, "canceled", EndReason.CALLER_HANGUP),
        (EndReason.CALLER_HANGUP, None, EndReason.CALLER_HANGUP),
        (EndReason.MODEL_LOST, None, EndReason.TRANSFERRED),
        (EndReason.DRAINED, None, EndReason.TRANSFERRED),
        (EndReason.ERROR, None, EndReason.TRANSFERRED),
        (EndReason.MODEL_LOST, "busy", EndReason.MODEL_LOST),
        (EndReason.OPERATOR, None, EndReason.OPERATOR),
        (EndReason.STREAM_LOST, "busy", EndReason.STREAM_LOST),
    ],
)
async def test_what_ends_here_is_nothing_to_two_who_talk(
    house: House, reason: EndReason, status: str | None, ended: EndReason
):
    transfer = asyncio.create_task(ask(house))
    await begun(house)
    settling = asyncio.create_task(house.transfer.settle(reason))
    await asyncio.sleep(0)
    if status:
        house.transfer.dialled(status, 1)
    assert await settling is ended
    transfer.cancel()


# -- keys


async def test_keys_are_pressed_and_the_stream_comes_back(house: House):
    pressing = asyncio.create_task(tools(house).run(ToolCall("call_1", "send_dtmf", '{"digits": "0w12#"}')))
    await begun(house)
    assert house.carrier.redirected == ["<back keys=0w12#/>"]
    assert await refusal(tools(house).run(ToolCall("call_2", "send_dtmf", '{"digits": "1"}'))) == ELSEWHERE
    house.caller.come_back()
    assert await pressing == PRESSED
    assert [event.data for event in house.told if event.kind == Kind.DTMF_SENT] == [{"digits": "0w12#"}]


async def test_the_stream_is_not_given_up_before_the_keys_can_have_been_pressed(house: House):
    pressing = asyncio.create_task(tools(house).run(ToolCall("call_1", "send_dtmf", '{"digits": "1"}')))
    await begun(house)
    await asyncio.sleep(CLAIM_S * 3)
    assert house.bridge.ended == []
    house.caller.come_back()
    assert await pressing == PRESSED


@pytest.mark.parametrize("digits", ["", "12\\n", "1 2", "+1", "<Dial>", "e", "1" * 33, "\u0661"])
async def test_nothing_but_keys_is_pressed(house: House, digits: str):
    await refusal(tools(house).run(ToolCall("call_1", "send_dtmf", f'{{"digits": "{digits}"}}')))
    assert house.carrier.redirected == []


async def test_keys_are_pressed_no_more_often_than_the_tool_allows(house: House):
    refuse(house, CarrierApiError("no", status=400))
    agent = tools(house)
    for _ in range(2):
        assert "were not pressed" in await refusal(agent.run(ToolCall("call_1", "send_dtmf", '{"digits": "1"}')))
    assert await refusal(agent.run(ToolCall("call_1", "send_dtmf", '{"digits": "1"}'))) == PRESSED_TOO_OFTEN
