import asyncio

import pytest

from app.conf.models import AgentConf
from app.errors import SessionUnavailable
from app.realtime.session import RealtimeSession
from app.web import lobby as lobby_module
from app.web.lobby import Lobby
from tests.unit.web.house import House, Model

AGENT = AgentConf()


async def until_opened(model: Model) -> None:
    async with asyncio.timeout(1):
        await model.opened.wait()


async def test_the_session_opened_at_the_webhook_is_handed_to_exactly_one_claimer():
    model = Model()
    async with Lobby(model.open, claim_s=15) as lobby:
        lobby.expect("CA1", AGENT, 1, answer="<a/>")
        async with lobby.claim("CA1", AGENT, 1) as one, lobby.claim("CA1", AGENT, 1) as two:
            first, second = await one.session(), await two.session()

    assert first[0] is model.sessions[0]
    assert second[0] is not first[0]
    assert model.dials == 2


async def test_an_unclaimed_session_is_closed_in_time():
    model = Model()
    async with Lobby(model.open, claim_s=0.01) as lobby:
        lobby.expect("CA1", AGENT, 1, answer="<a/>")
        await until_opened(model)
        async with asyncio.timeout(1):
            await model.sessions[0].closed.wait()

        assert lobby.waiting == 0
        assert lobby.answer("CA1") == "<a/>"


async def test_a_session_waits_longer_by_what_the_caller_is_told_first():
    model = Model()
    async with Lobby(model.open, claim_s=0.01) as lobby:
        lobby.expect("CA1", AGENT, 1, answer="<a/>", speaking_s=0.15)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(lobby.wait_empty(), 0.1)
        async with asyncio.timeout(1):
            await lobby.wait_empty()


async def test_a_claimed_session_outlives_the_time_limit_and_is_closed_when_the_call_ends():
    model = Model()
    async with Lobby(model.open, claim_s=0.01) as lobby:
        lobby.expect("CA1", AGENT, 1, answer="<a/>")
        async with lobby.claim("CA1", AGENT, 1) as guest:
            await guest.session()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(model.sessions[0].closed.wait(), 0.05)
        async with asyncio.timeout(1):
            await model.sessions[0].closed.wait()


async def test_a_failed_early_dial_is_told_to_the_claimer_and_not_repeated():
    model = Model()
    model.trouble = SessionUnavailable("refused")
    async with Lobby(model.open, claim_s=15) as lobby:
        lobby.expect("CA1", AGENT, 1, answer="<a/>")
        async with lobby.claim("CA1", AGENT, 1) as guest:
            with pytest.raises(SessionUnavailable, match="refused"):
                await guest.session()

    assert model.dials == 1


async def test_a_caller_who_leaves_while_the_model_is_dialled_stops_the_dialling():
    cancelled = asyncio.Event()
    dialling = asyncio.Event()

    async def hang(_agent: AgentConf) -> RealtimeSession:
        dialling.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        raise AssertionError("unreachable")

    async with Lobby(hang, claim_s=15) as lobby, asyncio.timeout(1):
        async with lobby.claim("CA1", AGENT, 1):
            await dialling.wait()
        await cancelled.wait()


async def test_a_call_that_is_over_before_its_stream_closes_its_session():
    model = Model()
    async with Lobby(model.open, claim_s=15) as lobby:
        lobby.expect("CA1", AGENT, 1, answer="<a/>")
        await until_opened(model)
        lobby.dismiss("CA1")
        async with asyncio.timeout(1):
            await model.sessions[0].closed.wait()

        assert lobby.waiting == 0


async def test_nothing_is_left_open_when_the_lobby_closes():
    model = Model()
    async with Lobby(model.open, claim_s=15) as lobby:
        for n in range(3):
            lobby.expect(f"CA{n}", AGENT, 1, answer="<a/>")
        await until_opened(model)
        before = asyncio.all_tasks()

    assert len(before - asyncio.all_tasks()) == 3
    assert all(session.closed.is_set() for session in model.sessions)


async def test_a_session_that_cannot_be_closed_troubles_nobody_else():
    class Broken:
        async def close(self) -> None:
            raise RuntimeError("cannot close")

    async def open_broken(_agent: AgentConf) -> RealtimeSession:
        return Broken(), Broken()  # type: ignore[return-value] # a session that breaks at closing

    async with Lobby(open_broken, claim_s=15) as lobby:
        async with lobby.claim("CA1", AGENT, 1) as guest:
            await guest.session()
        async with lobby.claim("CA2", AGENT, 1) as guest:
            assert await guest.session()


async def test_the_claimer_gets_the_agent_as_it_was_at_the_webhook():
    async with Lobby(Model().open, claim_s=15) as lobby:
        lobby.expect("CA1", AGENT, 1, answer="<a/>")
        async with lobby.claim("CA1", AgentConf(voice="cedar"), 2) as guest:
            assert (guest.agent, guest.agent_version) == (AGENT, 1)


async def test_only_so_many_answers_are_remembered(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lobby_module, "REMEMBERED_ANSWERS", 2)
    async with Lobby(Model().open, claim_s=15) as lobby:
        for n in range(3):
            lobby.expect(f"CA{n}", AGENT, 1, answer=f"<a{n}/>")

        assert [lobby.answer(f"CA{n}") for n in range(3)] == [None, "<a1/>", "<a2/>"]


async def test_a_draining_process_waits_for_the_streams_that_are_on_their_way(house: House):
    house.lobby.expect("CA1", AGENT, 1, answer="<a/>")
    waiting = asyncio.ensure_future(house.services.wait_empty())
    await until_opened(house.model)
    assert not waiting.done()

    async with house.lobby.claim("CA1", AGENT, 1):
        async with asyncio.timeout(1):
            await waiting
