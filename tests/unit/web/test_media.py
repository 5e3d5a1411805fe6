import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from starlette.types import Message
from starlette.websockets import WebSocket
from websockets.exceptions import ConnectionClosed, InvalidStatus

from app.call.socket import StreamGone, StreamSocket
from app.timing import Deadlines
from app.twilio.media_protocol import Started
from app.web.deps import Arrival
from app.web.media import WebSocketStream
from tests.unit.twilio.accounts import CALL, OTHER_TOKEN, THEIRS, account, sign
from tests.unit.web.house import NUMBER
from tests.unit.web.serving import Served, close_code, serve, start

CONNECTED = json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"})


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serve() as opened:
        yield opened


async def echo(arrival: Arrival, socket: StreamSocket, started: Started) -> None:
    """A call that says who it is, then repeats what it hears until the caller leaves."""
    await arrival.session()
    await socket.send(f"{arrival.agent_name} {started.stream_sid} {arrival.to_number} {socket.ignored}")
    while True:
        await socket.send(await socket.receive())


async def test_a_stream_with_its_token_is_handed_to_the_call_with_the_waiting_session():
    async with serve(carry=echo) as served, asyncio.timeout(5):
        parameters = await served.answer()
        async with served.stream() as stream:
            await stream.send(CONNECTED)
            await stream.send(start(parameters))
            assert await stream.recv() == f"default MZ1 {NUMBER} 0"
            await stream.send("hello")
            assert await stream.recv() == "hello"
        await served.house.model.sessions[0].closed.wait()

        assert served.house.model.dials == 1
        assert served.house.calls.live_count == 0


@pytest.mark.parametrize("signature", ["", "forged"])
async def test_an_unsigned_handshake_is_refused_before_the_upgrade(served: Served, signature: str):
    await served.answer()
    with pytest.raises(InvalidStatus) as caught:
        async with served.stream(signature=signature):
            pass

    assert caught.value.response.status_code == 403
    assert served.house.lobby.waiting == 1


async def test_a_handshake_is_refused_while_no_token_is_configured(served: Served):
    served.house.conf.accounts = []
    with pytest.raises(InvalidStatus) as caught:
        async with served.stream():
            pass

    assert caught.value.response.status_code == 403


async def test_a_trailing_slash_is_the_same_stream(served: Served):
    parameters = await served.answer()
    async with served.stream(path="/") as stream, asyncio.timeout(2):
        await stream.send(start(parameters))
        await stream.ping()

    assert len(served.house.arrivals) == 1


@pytest.mark.parametrize("parameters", [{}, {"token": "forged"}, {"agent": "default"}])
async def test_a_stream_without_a_valid_token_is_refused_and_dials_nobody(served: Served, parameters: dict[str, str]):
    async with served.stream() as stream:
        await stream.send(start(parameters))

        assert await close_code(stream) == 1008
    assert (served.house.model.dials, served.house.arrivals) == (0, [])


@pytest.mark.parametrize("who", [{"call_sid": "CA" + "2" * 32}, {"account_sid": THEIRS}])
async def test_a_token_on_another_call_is_refused_and_the_waiting_session_stays(served: Served, who: dict[str, str]):
    parameters = await served.answer()
    async with served.stream() as stream:
        await stream.send(start(parameters, **who))
        assert await close_code(stream) == 1008

    assert (served.house.lobby.waiting, served.house.model.dials, served.house.arrivals) == (1, 1, [])


async def test_a_stream_signed_by_one_account_cannot_carry_anothers_call(served: Served):
    served.house.conf.accounts.append(account(THEIRS, OTHER_TOKEN))
    parameters = await served.answer()
    async with served.stream(signature=sign(served.stream_url, token=OTHER_TOKEN)) as stream:
        await stream.send(start(parameters))

        assert await close_code(stream) == 1008


async def test_a_replayed_token_is_refused_and_the_live_call_goes_on():
    async with serve(carry=echo) as served, asyncio.timeout(5):
        parameters = await served.answer()
        async with served.stream() as first:
            await first.send(start(parameters))
            await first.recv()
            async with served.stream() as second:
                await second.send(start(parameters))
                assert await close_code(second) == 1008
            await first.send("still here")
            assert await first.recv() == "still here"
        async with served.stream() as third:
            await third.send(start(parameters))
            assert await close_code(third) == 1008
        assert served.house.model.dials == 1


async def test_a_stream_that_never_starts_is_closed_in_time():
    async with serve(Deadlines(start_s=0.05)) as served, served.stream() as stream:
        await stream.send(CONNECTED)

        assert await close_code(stream) == 1008


async def test_noise_before_the_start_is_counted_and_ignored():
    noise = [
        "",
        "nonsense",
        "[" * 10_000,
        '{"event":"start"}',
        '{"event":"media","media":{"payload":""}}',
        '{"event":"x"}',
    ]
    async with serve(carry=echo) as served, asyncio.timeout(5):
        parameters = await served.answer()
        async with served.stream() as stream:
            for text in noise:
                await stream.send(text)
            await stream.send(b"\x00\xff")
            await stream.send(CONNECTED)
            await stream.send(start(parameters))

            assert await stream.recv() == f"default MZ1 {NUMBER} {len(noise) + 1}"


async def test_binary_frames_never_reach_the_call():
    async with serve(carry=echo) as served, asyncio.timeout(5), served.stream() as stream:
        await stream.send(start(await served.answer()))
        await stream.recv()
        await stream.send(b"\x00")
        await stream.send("text")

        assert await stream.recv() == "text"


async def test_a_message_over_64_kib_ends_that_call_alone():
    async with serve(carry=echo) as served, served.stream() as bystander, served.stream() as stream:
        await bystander.send(start(await served.answer()))
        await bystander.recv()
        await stream.send("x" * 200_000)
        assert await close_code(stream) == 1009

        await bystander.send("still here")
        assert await bystander.recv() == "still here"


async def test_invalid_utf8_is_a_clean_close(served: Served):
    async with served.stream() as stream:
        await stream.send(b"\xff\xfe", text=True)

        assert await close_code(stream) == 1007


async def test_another_replica_checks_the_token_and_dials_for_itself(served: Served):
    parameters = await served.answer()
    served.house.lobby.dismiss(CALL)
    async with served.stream() as stream, asyncio.timeout(2):
        await stream.send(start(parameters))
        served.house.model.opened.clear()
        await served.house.model.opened.wait()

    assert len(served.house.arrivals) == 1


async def test_a_call_that_breaks_closes_its_stream_so_that_twilio_goes_on():
    async def broken(_arrival: Arrival, _socket: StreamSocket, _started: Started) -> None:
        raise ValueError("a fault of ours")

    async with serve(carry=broken) as served, served.stream() as stream:
        await stream.send(start(await served.answer()))

        assert await close_code(stream) == 1011


async def test_an_agent_that_is_gone_closes_the_stream_so_that_twilio_goes_on(served: Served):
    parameters = await served.answer()
    served.house.conf.agents.clear()
    async with served.stream() as stream:
        await stream.send(start(parameters))

        assert await close_code(stream) == 1011


async def test_a_call_that_ends_closes_its_stream():
    async def brief(_arrival: Arrival, socket: StreamSocket, _started: Started) -> None:
        await socket.send("bye")

    async with serve(carry=brief) as served, served.stream() as stream, asyncio.timeout(2):
        await stream.send(start(await served.answer()))
        assert await stream.recv() == "bye"
        with pytest.raises(ConnectionClosed):
            await stream.recv()

        assert stream.close_code == 1000


async def test_every_way_of_being_gone_is_told_in_one_word():
    told: list[str] = []
    done = asyncio.Event()

    async def note(_arrival: Arrival, socket: StreamSocket, _started: Started) -> None:
        for attempt in (socket.receive, socket.receive, lambda: socket.send("x"), lambda: socket.send("x")):
            try:
                await attempt()
            except StreamGone as gone:
                told.append(type(gone).__name__)
        await socket.close()
        await socket.close(1011)
        done.set()

    async with serve(carry=note) as served, asyncio.timeout(2):
        stream = await served.stream()
        await stream.send(start(await served.answer()))
        stream.transport.abort()
        await done.wait()

    assert told == ["StreamGone"] * 4


async def test_a_message_over_64_kib_is_refused_under_a_server_without_limits_too():
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.receive", "text": "x" * 70_000} if sent else {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    websocket = WebSocket({"type": "websocket"}, receive, send)
    await websocket.accept()
    with pytest.raises(StreamGone) as caught:
        await WebSocketStream(websocket).receive()

    assert (caught.value.code, sent[-1]["code"]) == (1009, 1009)
