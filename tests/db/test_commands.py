"""Commands between processes: once, in time or not at all, and always with an answer."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.call.commands import Command, GiveText, HangUp, Outcome, SayWords, Sent
from app.call.registry import Registry
from app.call.status import CallStatus, EndReason
from app.db import commands
from app.db.audit import Actor
from app.db.calls import record_call
from app.db.engine import db_session
from app.db.ids import uuid7
from app.db.live_calls import record_live
from app.db.tables import AuditEntry, CallCommand
from app.errors import CallNotLive, CallSilent, CallUnknown, CommandRefused
from app.jobs.calls.commands import CallCommands
from tests.db.test_calls import a_call

WHO = Actor("the tester", uuid7())
SECOND = timedelta(seconds=1)
PATIENT_S, HASTY_S = 5.0, 0.2
Do = Callable[[Command], Awaitable[Outcome]]


async def agree(_command: Command) -> Outcome:
    return "done"


@dataclass
class LiveCall:
    """A call that remembers what it was asked."""

    do: Do = agree
    asked: list[tuple[Command, str]] = field(default_factory=list)

    async def obey(self, command: Command, by: str) -> Outcome:
        self.asked.append((command, by))
        return await self.do(command)


@asynccontextmanager
async def process(
    engine: AsyncEngine, call_id: str = "", call: LiveCall | None = None, *, answer_s: float = PATIENT_S
) -> AsyncIterator[tuple[CallCommands, Registry]]:
    """One that listens, and perhaps carries the call."""
    registry = Registry(max_calls=9)
    if call:
        registry.enter("CA1", call_id, call)  # type: ignore[arg-type] # what a call here is asked for
    there = CallCommands(engine, registry, answer_s=answer_s)
    listening = asyncio.create_task(there.run())
    try:
        yield there, registry
    finally:
        listening.cancel()
        await asyncio.wait({listening})


@pytest.fixture
async def call_id(engine: AsyncEngine) -> UUID:
    """A call that goes on, somewhere."""
    call = a_call()
    async with db_session(engine) as db:
        await record_live(db, call)
    return UUID(call.id)


async def rows(engine: AsyncEngine) -> list[CallCommand]:
    async with db_session(engine) as db:
        return list(await db.scalars(select(CallCommand).order_by(CallCommand.id)))


async def test_what_one_process_asks_another_does_and_answers(engine: AsyncEngine, call_id: UUID):
    call = LiveCall()
    async with process(engine, str(call_id), call), process(engine) as (asking, _):
        assert await asking.order(call_id, GiveText("Hi", "system", respond=False), WHO) == "done"
    assert call.asked == [(GiveText("Hi", "system", respond=False), "the tester")]
    [row] = await rows(engine)
    assert (row.kind, row.state, row.outcome) == ("send_text", "done", {"done": "done"})
    async with db_session(engine) as db:
        [entry] = await db.scalars(select(AuditEntry))
    assert (entry.actor, entry.key_id, entry.action) == (WHO.name, WHO.key_id, "send_text")
    assert entry.subject == f"call/{call_id}"


async def test_of_many_processes_that_say_they_carry_the_call_one_does_each_command(engine: AsyncEngine, call_id: UUID):
    calls = [LiveCall() for _ in range(4)]
    async with AsyncExitStack() as stack:
        for call in calls:
            await stack.enter_async_context(process(engine, str(call_id), call))
        asking, _ = await stack.enter_async_context(process(engine))
        words = [SayWords(str(number)) for number in range(20)]
        await asyncio.gather(*(asking.order(call_id, each, WHO) for each in words))
    done = [command for call in calls for command, _ in call.asked]
    assert sorted(done, key=str) == sorted(words, key=str)


async def test_a_command_that_nobody_takes_in_time_is_never_done(engine: AsyncEngine, call_id: UUID):
    async with process(engine, answer_s=HASTY_S) as (asking, _):
        with pytest.raises(CallSilent) as silent:
            await asking.order(call_id, HangUp(), WHO)
    assert silent.value.safe
    call = LiveCall()
    async with process(engine, str(call_id), call) as (late, _):
        assert await late.order(call_id, SayWords("Hi"), WHO) == "done"  # it has begun to listen, and looked around
        [row] = await rows(engine)
        async with db_session(engine) as db:
            assert await commands.take_command(db, row.id) is None
    assert [command for command, _ in call.asked] == [SayWords("Hi")]
    assert row.state == "given_up"


async def test_a_command_whose_asker_died_expires_by_itself(engine: AsyncEngine, call_id: UUID):
    command_id = uuid7()
    async with db_session(engine) as db:
        await commands.add_command(db, command_id, call_id, Sent("hang_up"), WHO, within=-SECOND)
        assert await commands.waiting_commands(db) == []
        assert await commands.take_command(db, command_id) is None


async def test_a_process_that_takes_a_command_and_falls_silent_is_told_apart(engine: AsyncEngine, call_id: UUID):
    async def hang(_command: Command) -> Outcome:
        await asyncio.Event().wait()
        return "done"

    async with process(engine, str(call_id), LiveCall(hang)), process(engine, answer_s=1.0) as (asking, _):
        with pytest.raises(CallSilent) as silent:
            await asking.order(call_id, HangUp(), WHO)
    assert not silent.value.safe


async def test_a_refusal_comes_back_as_one_and_is_not_in_the_audit_log(engine: AsyncEngine, call_id: UUID):
    async def refuse(_command: Command) -> Outcome:
        raise CommandRefused("not_ready", "Try again.")

    async with process(engine, str(call_id), LiveCall(refuse)), process(engine) as (asking, _):
        with pytest.raises(CommandRefused, match="Try again") as refused:
            await asking.order(call_id, SayWords("Hi"), WHO)
    assert refused.value.code == "not_ready"
    async with db_session(engine) as db:
        assert list(await db.scalars(select(AuditEntry))) == []


async def test_a_command_that_breaks_is_answered_and_the_next_one_is_done(engine: AsyncEngine, call_id: UUID):
    async def break_down(command: Command) -> Outcome:
        if command == SayWords("one"):
            raise ZeroDivisionError
        return "done"

    async with process(engine, str(call_id), LiveCall(break_down)), process(engine) as (asking, _):
        with pytest.raises(CommandRefused) as broken:
            await asking.order(call_id, SayWords("one"), WHO)
        assert broken.value.code == "internal_error"
        assert await asking.order(call_id, SayWords("two"), WHO) == "done"


async def test_what_another_release_asks_is_refused_by_name(engine: AsyncEngine, call_id: UUID):
    call = LiveCall()
    async with process(engine, str(call_id), call), process(engine) as (asking, _):
        assert await asking.order(call_id, SayWords("Hi"), WHO) == "done"  # both listen
        async with db_session(engine) as db:
            command_id = uuid7()
            await commands.add_command(db, command_id, call_id, Sent("sing"), WHO, within=SECOND * 5)
        async with asyncio.timeout(5):
            while (answer := await _outcome(engine, command_id)) is None:  # noqa: ASYNC110 (there is no event)
                await asyncio.sleep(0.01)
    assert answer["refused"] == "unknown_command"
    assert len(call.asked) == 1


async def _outcome(engine: AsyncEngine, command_id: UUID) -> dict | None:
    async with db_session(engine) as db:
        return await commands.outcome_of(db, command_id)


async def test_a_call_that_is_over_is_not_asked(engine: AsyncEngine, call_id: UUID):
    async with process(engine) as (asking, _):
        with pytest.raises(CallUnknown):
            await asking.order(uuid7(), HangUp(), WHO)
        async with db_session(engine) as db:
            ended = replace(a_call(), status=CallStatus.ENDED, end_reason=EndReason.CALLER_HANGUP)
            ended = replace(ended, id=str(uuid7()), call_sid="CA9")
            await record_call(db, ended, [])
        with pytest.raises(CallNotLive):
            await asking.order(UUID(ended.id), HangUp(), WHO)
    assert await rows(engine) == []


async def test_whoever_carried_a_call_that_has_just_ended_says_so(engine: AsyncEngine, call_id: UUID):
    call = LiveCall()
    async with process(engine, str(call_id), call) as (carrying, registry), process(engine) as (asking, _):
        registry.mark_ended("CA1", EndReason.CALLER_HANGUP)
        for there in (carrying, asking):
            with pytest.raises(CallNotLive):
                await there.order(call_id, HangUp(), WHO)
        registry.leave("CA1")
        with pytest.raises(CallNotLive):
            await asking.order(call_id, HangUp(), WHO)
    assert call.asked == []


async def test_a_line_that_is_lost_is_made_up_for(engine: AsyncEngine, call_id: UUID):
    call = LiveCall()
    async with process(engine, str(call_id), call), process(engine) as (asking, _):
        assert await asking.order(call_id, SayWords("before"), WHO) == "done"
        async with db_session(engine) as db:
            await db.execute(
                text(
                    "select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'listen %call_commands%'"
                )
            )
        assert await asking.order(call_id, SayWords("after"), WHO) == "done"
    assert [command for command, _ in call.asked] == [SayWords("before"), SayWords("after")]


async def test_a_call_that_is_carried_here_needs_no_other_process_and_no_row(engine: AsyncEngine, call_id: UUID):
    registry, call = Registry(max_calls=1), LiveCall()
    registry.enter("CA1", str(call_id), call)  # type: ignore[arg-type] # as above
    assert await CallCommands(engine, registry).order(call_id, HangUp("Bye"), WHO) == "done"
    assert call.asked == [(HangUp("Bye"), "the tester")]
    assert await rows(engine) == []


async def test_commands_of_long_ago_are_forgotten(engine: AsyncEngine, call_id: UUID):
    async with db_session(engine) as db:
        await commands.add_command(db, uuid7(), call_id, Sent("hang_up"), WHO, within=SECOND)
        await commands.purge_commands(db, SECOND)
    assert len(await rows(engine)) == 1
    async with db_session(engine) as db:
        await commands.purge_commands(db, -SECOND)
    assert await rows(engine) == []
