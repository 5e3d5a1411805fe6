"""A caller who was put through: what follows the dial, and how they come back to their call."""

import asyncio
from urllib.parse import parse_qs, urlsplit
from uuid import UUID
from xml.etree import ElementTree

import httpx
import pytest

from app.call.socket import StreamGone, StreamSocket
from app.call.status import EndReason
from app.errors import Refused
from app.outbound.tokens import OutboundTicket
from app.twilio.media_protocol import Started
from app.web.deps import Arrival
from app.web.ways import WaysBack
from tests.unit.twilio.accounts import CALL
from tests.unit.web.house import ORIGIN, House, agent_with_fallback, webhook_fields
from tests.unit.web.serving import close_code, serve, start
from tests.unit.web.test_voice import verbs


class Elsewhere:
    """A live call whose caller is elsewhere."""

    def __init__(self) -> None:
        self.leaving = True
        self.told: list[tuple[str, int]] = []
        self.joined: list[str] = []
        self.ended: list[EndReason] = []

    def end(self, reason: EndReason) -> None:
        self.ended.append(reason)

    def dialled(self, status: str, number: int) -> str | None:
        self.told.append((status, number))
        return "<Response><Connect/></Response>" if number == 1 else None

    async def rejoin(self, socket: StreamSocket, stream_sid: str) -> None:
        if not self.leaving:
            raise Refused("taken")
        self.leaving = False
        self.joined.append(stream_sid)
        try:
            while True:
                await socket.receive()
        except StreamGone:
            return


def live(house: House, call_id: str = "") -> Elsewhere:
    call = Elsewhere()
    house.calls.live.add(CALL)
    house.calls.controls |= {CALL: call, call_id: call}  # type: ignore[dict-item]
    return call


async def transferred(house: House, status: str, dial: str = "1", **fields: str) -> httpx.Response:
    told = webhook_fields(**({"CallStatus": "in-progress"} | fields), DialCallStatus=status)
    return await house.post(f"/twilio/transferred?attempt=1&dial={dial}", told)


# -- what follows the dial


@pytest.mark.parametrize("status", ["no-answer", "busy", "completed"])
async def test_the_live_call_says_what_follows(house: House, status: str):
    call = live(house)
    assert verbs(await transferred(house, status)) == ["Connect"]
    assert call.told == [(status, 1)]
    assert house.lobby.waiting == 0


@pytest.mark.parametrize("dial", ["2", "0", "-1", "x", "", "%C2%B2", "9" * 5000])
async def test_a_webhook_that_comes_once_more_when_the_caller_is_back_ends_nothing(house: House, dial: str):
    call = live(house)
    assert verbs(await transferred(house, "busy", dial)) == ["Hangup"]
    assert (call.ended, house.calls.endings, house.lobby.waiting) == ([], {}, 0)


async def test_a_caller_who_hung_up_while_it_rang_is_gone_at_once(house: House):
    call = live(house)
    assert verbs(await transferred(house, "canceled", CallStatus="completed")) == ["Hangup"]
    assert call.ended == [EndReason.CALLER_HANGUP]
    assert call.told == [("canceled", 1)]


@pytest.mark.parametrize("ended", [None, EndReason.TRANSFERRED, EndReason.STREAM_LOST, EndReason.CALLER_HANGUP])
async def test_a_caller_whose_call_is_not_here_any_more_gets_a_new_stream(house: House, ended: EndReason | None):
    if ended:
        house.calls.endings[CALL] = ended
    assert verbs(await transferred(house, "busy")) == ["Connect", "Redirect"]
    assert house.lobby.waiting == 1


@pytest.mark.parametrize(
    ("status", "fields"), [("completed", {}), ("answered", {}), ("no-answer", {"CallStatus": "completed"})]
)
async def test_who_has_talked_or_hung_up_is_not_connected_again(house: House, status: str, fields: dict[str, str]):
    assert verbs(await transferred(house, status, **fields)) == ["Hangup"]
    assert house.lobby.waiting == 0


async def test_an_operators_hang_up_is_no_way_back(house: House):
    house.calls.endings[CALL] = EndReason.OPERATOR
    assert verbs(await transferred(house, "busy")) == ["Hangup"]


async def test_only_twilio_says_how_a_dial_ended(house: House):
    call = live(house)
    assert (await house.post("/twilio/transferred?attempt=1", signature="forged")).status_code == 403
    assert call.told == []


async def test_whatever_is_broken_the_caller_hears_words(house: House):
    live(house).dialled = lambda _status, _number: 1 / 0  # type: ignore[assignment, return-value]
    house.conf.agents["default"] = agent_with_fallback()
    assert verbs(await transferred(house, "busy")) == ["Say", "Dial"]


# -- the way back


async def keep(arrival: Arrival, socket: StreamSocket, _started: Started) -> None:
    """A call that shows its way back at once, and goes on."""
    await socket.send(arrival.ways.back(keys="1w2"))
    await socket.receive()


def stream_of(twiml: str) -> tuple[list[str], dict[str, str]]:
    response = ElementTree.fromstring(twiml)  # noqa: S314
    stream = response.find("Connect/Stream")
    assert stream is not None
    return [verb.tag for verb in response], {each.attrib["name"]: each.attrib["value"] for each in stream}


async def test_a_stream_that_brings_the_caller_back_is_handed_to_their_call():
    async with serve(carry=keep) as served, asyncio.timeout(5):
        house = served.house
        async with served.stream() as first:
            await first.send(start(await served.answer()))
            tags, parameters = stream_of(str(await first.recv()))
            assert tags == ["Play", "Connect", "Redirect"]
            call = live(house, house.arrivals[0].call_id)
            async with served.stream() as second:
                await second.send(start(parameters))
                while not call.joined:  # noqa: ASYNC110 (there is no event)
                    await asyncio.sleep(0.01)
                async with served.stream() as replayed:
                    await replayed.send(start(parameters))
                    assert await close_code(replayed) == 1008
        assert (len(house.arrivals), call.joined, house.model.dials) == (1, ["MZ1"], 1)


@pytest.mark.parametrize("somebody_else", [True, False])
async def test_a_way_back_leads_nowhere_where_the_call_is_not_here(somebody_else: bool):
    async with serve(carry=keep) as served, asyncio.timeout(5):
        house = served.house
        async with served.stream() as first:
            await first.send(start(await served.answer()))
            _, parameters = stream_of(str(await first.recv()))
        while house.calls.live:  # noqa: ASYNC110 (there is no event)
            await asyncio.sleep(0.01)
        if somebody_else:
            live(house, "another call of ours")
        async with served.stream() as second:
            await second.send(start(parameters))
            assert await close_code(second) == 1008
        assert len(house.arrivals) == 1


async def test_no_other_ticket_takes_over_a_call_whose_caller_is_elsewhere():
    async with serve() as served, asyncio.timeout(5):
        parameters = await served.answer()
        call = live(served.house)
        async with served.stream() as stream:
            await stream.send(start(parameters))
            assert await close_code(stream) == 1008
        assert (served.house.arrivals, call.joined) == ([], [])


async def test_webhooks_on_the_way_back_know_the_request_that_placed_the_call(house: House):
    placed = OutboundTicket(request_id=UUID(int=7), attempt=1, agent="default", variables={"name": "x" * 900})
    token = house.services.outbound.tokens.sign(placed)
    fields = webhook_fields(Direction="outbound-api", CallStatus="in-progress")
    answer = await house.post(f"/twilio/voice?outbound={token}", fields)
    _, parameters = stream_of(answer.text)
    ticket = await house.services.tokens.redeem(parameters, call_sid=CALL, account_sid=fields["AccountSid"])

    assert ticket.placed
    assert len(ticket.placed) < 400
    known = house.services.outbound.tokens.read(ticket.placed)
    assert known == OutboundTicket(request_id=UUID(int=7), attempt=1, agent="default")
    ways = WaysBack(house.services, ticket, house.conf.agents["default"])
    url = urlsplit(ways.dialled_url(3))
    assert f"{url.scheme}://{url.netloc}{url.path}" == f"{ORIGIN}/twilio/transferred"
    assert parse_qs(url.query) == {"attempt": ["1"], "dial": ["3"], "outbound": [ticket.placed]}
    assert len(ways.back(keys="1" * 32)) < 4000  # Twilio takes no more in a request
