"""Twilio's word on who picked up finds its call: here, in another process, or nowhere yet."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.call.commands import PickedUp
from app.call.status import EndReason
from app.conf.models import MachinePolicy
from app.db.engine import create_engine, db_session
from app.db.live_calls import record_live
from app.errors import CarrierError, CommandRefused
from app.jobs.calls.commands import CallCommands
from app.jobs.calls.pickups import Pickups
from app.outbound.answered import Answered
from tests.db.test_calls import a_call
from tests.db.test_commands import LiveCall, process

CALL_SID = "CA1"
LEAVE = MachinePolicy(action="leave_message", message="Call us.")
MACHINE = Answered("AC1", CALL_SID, "machine_end_beep", LEAVE, "en-US")


@dataclass
class Line:
    """The carrier."""

    done: list[str] = field(default_factory=list)
    refuses: bool = False

    async def hang_up(self, call_sid: str) -> None:
        self._do(f"hang up {call_sid}")

    async def redirect(self, call_sid: str, words: str) -> None:
        assert "Call us." in words
        self._do(f"say {call_sid}")

    def _do(self, what: str) -> None:
        if self.refuses:
            raise CarrierError("no")
        self.done.append(what)


@pytest.fixture
def line() -> Line:
    return Line()


def pickups(engine: AsyncEngine, there: tuple[CallCommands, object], line: Line, stream_s: float = 5.0) -> Pickups:
    commands, registry = there
    return Pickups(engine, registry, commands, lambda _: line, stream_s=stream_s)  # type: ignore[arg-type]


async def test_the_call_of_this_process_hears_it_while_the_database_is_away(line: Line):
    nowhere, call = create_engine("postgresql+asyncpg://x:x@127.0.0.1:1/x"), LiveCall()
    async with process(nowhere, a_call().id, call) as there:
        await pickups(nowhere, there, line).take(MACHINE)
    assert call.asked == [(PickedUp("machine_end_beep"), "Twilio")]
    assert line.done == []


async def test_the_call_of_another_process_hears_it(engine: AsyncEngine, line: Line):
    record, call = replace(a_call(), call_sid=CALL_SID), LiveCall()
    async with db_session(engine) as db:
        await record_live(db, record)
    async with process(engine, record.id, call), process(engine) as there:
        await pickups(engine, there, line).take(MACHINE)
    assert call.asked == [(PickedUp("machine_end_beep"), "Twilio")]


async def test_a_call_whose_stream_comes_later_hears_it_then(engine: AsyncEngine, line: Line):
    call = LiveCall()
    async with process(engine) as there:
        taking = asyncio.create_task(pickups(engine, there, line).take(MACHINE))
        await asyncio.sleep(0.05)
        there[1].enter(CALL_SID, a_call().id, call)  # type: ignore[arg-type] # what a call here is asked for
        await taking
    assert (len(call.asked), line.done) == (1, [])


async def test_an_agent_that_is_not_there_yet_is_told_again(engine: AsyncEngine, line: Line):
    async def refuse_once(_: object) -> str:
        if len(call.asked) == 1:
            raise CommandRefused("not_ready", "wait")
        return "done"

    call = LiveCall(refuse_once)  # type: ignore[arg-type]
    async with process(engine, a_call().id, call) as there:
        await pickups(engine, there, line).take(MACHINE)
    assert len(call.asked) == 2


@pytest.mark.parametrize(
    ("answered_by", "done"), [("machine_end_beep", ["say CA1"]), ("fax", ["hang up CA1"]), ("human", [])]
)
async def test_a_call_that_nobody_carries_is_ended_by_the_carrier(
    engine: AsyncEngine, line: Line, answered_by: str, done: list[str]
):
    answered = replace(MACHINE, answered_by=answered_by)
    async with process(engine) as there:
        await pickups(engine, there, line, stream_s=0).take(answered)
        line.refuses, before = True, list(line.done)
        await pickups(engine, there, line, stream_s=0).take(answered)
    assert before == done


async def test_a_call_that_is_over_is_left_alone(engine: AsyncEngine, line: Line):
    async with process(engine) as there:
        there[1].mark_ended(CALL_SID, EndReason.CALLER_HANGUP)
        await pickups(engine, there, line).take(MACHINE)
    assert line.done == []


async def test_a_call_whose_stream_was_lost_may_have_another_and_hears_it_there(engine: AsyncEngine, line: Line):
    call = LiveCall()
    async with process(engine) as there:
        there[1].mark_ended(CALL_SID, EndReason.STREAM_LOST)
        taking = asyncio.create_task(pickups(engine, there, line).take(MACHINE))
        await asyncio.sleep(0.05)
        there[1].enter(CALL_SID, a_call().id, call)  # type: ignore[arg-type] # as above
        await taking
    assert (len(call.asked), line.done) == (1, [])


async def test_whatever_breaks_nobody_hears_of_it(engine: AsyncEngine, line: Line):
    async def breaks(_: object) -> str:
        raise RuntimeError("broken")

    async with process(engine, a_call().id, LiveCall(breaks)) as there:  # type: ignore[arg-type]
        await pickups(engine, there, line).take(MACHINE)
