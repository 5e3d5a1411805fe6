"""Commands to live calls: done here at once, or by whichever process carries the call."""

import asyncio
import contextlib
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app.call.commands import Command, Outcome, Sent, name_of, pack, unpack
from app.call.registry import Registry
from app.call.status import CallStatus
from app.db import audit, commands
from app.db.audit import Actor
from app.db.call_queries import call_status
from app.db.engine import db_session
from app.db.ids import uuid7
from app.db.listen import notifications
from app.db.tables import CallCommand
from app.errors import CallNotLive, CallSilent, CallUnknown, CommandRefused, DatabaseError

ANSWER_S = 5.0
"""The process that carries the call must begin within this; and what it began it must have done within as much more."""
LOOK_S = 0.5
"""How often an answer is looked for whose news may have been lost."""
NOTE_S = 1.0
"""What was done here is written to the audit log within this, or never."""
AGAIN_S = 1.0
OVER = "The call is over."
_NOT_LIVE = "call_not_live"

_log = structlog.stdlib.get_logger(__name__)


class CallCommands:
    """Asks, and answers for the calls of this process. A call that is carried here needs no database."""

    def __init__(self, engine: AsyncEngine, registry: Registry, *, answer_s: float = ANSWER_S) -> None:
        self._engine = engine
        self._registry = registry
        self._answer_s = answer_s
        self._asked: dict[UUID, asyncio.Event] = {}

    # -- asking

    async def order(self, call_id: UUID, command: Command, who: Actor) -> Outcome:
        """Have the call do it, and say what came of it.

        Raises `CommandRefused`, `CallNotLive`, `CallUnknown`, `CallSilent` where the process that carries the call does
        not answer, or `DatabaseError` where nobody can tell which one does.
        """
        if not self._is_ours(call_id):
            return await self._order_elsewhere(call_id, command, who)
        outcome = await self._do(call_id, command, who.name)
        await self._note_here(call_id, command, who)
        return outcome

    async def _note_here(self, call_id: UUID, command: Command, who: Actor) -> None:
        try:
            async with asyncio.timeout(NOTE_S), db_session(self._engine) as db:
                await _note(db, who, name_of(command), call_id)
        except (DatabaseError, TimeoutError):
            _log.warning("command_not_audited", call=str(call_id), action=name_of(command), by=who.name)

    async def _order_elsewhere(self, call_id: UUID, command: Command, who: Actor) -> Outcome:
        command_id, within = uuid7(), timedelta(seconds=self._answer_s)
        self._asked[command_id] = stirred = asyncio.Event()
        try:
            async with db_session(self._engine) as db:
                await _require_live(db, call_id)
                await commands.add_command(db, command_id, call_id, pack(command), who, within=within)
            return _read(await self._answer(command_id, stirred))
        finally:
            del self._asked[command_id]

    async def _answer(self, command_id: UUID, stirred: asyncio.Event) -> dict[str, Any]:
        if answer := await self._answer_within(command_id, stirred):
            return answer
        async with db_session(self._engine) as db:
            safe = await commands.give_up_command(db, command_id)
        if safe:
            raise CallSilent("The server that carries the call does not answer; nothing will be done.", safe=True)
        if answer := await self._answer_within(command_id, stirred):
            return answer
        raise CallSilent("The server that carries the call began, and does not say how it went.", safe=False)

    async def _answer_within(self, command_id: UUID, stirred: asyncio.Event) -> dict[str, Any] | None:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + self._answer_s
        while (left_s := until_s - loop.time()) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(LOOK_S, left_s)):
                    await stirred.wait()
            stirred.clear()
            async with db_session(self._engine) as db:
                if answer := await commands.outcome_of(db, command_id):
                    return answer
        return None

    # -- doing

    def _is_ours(self, call_id: UUID) -> bool:
        """Whether the call is carried here, or was."""
        return self._registry.control(str(call_id)) is not None or self._registry.had(str(call_id))

    async def _do(self, call_id: UUID, command: Command, by: str) -> Outcome:
        control = self._registry.control(str(call_id))
        if control is None:
            raise CallNotLive(OVER)
        try:
            return await control.obey(command, by)
        except CommandRefused:
            if self._registry.had(str(call_id)):  # it ended over that
                raise CallNotLive(OVER) from None
            raise

    # -- answering

    async def run(self) -> None:
        """Listen until cancelled, however often the database goes and comes back."""
        async with asyncio.TaskGroup() as doing:
            while True:
                try:
                    async with contextlib.aclosing(notifications(self._engine, commands.CHANNEL)) as news:
                        async for told in news:
                            self._wake(told)
                            for command_id in await self._for_us(told):
                                doing.create_task(self._answer_for(command_id))
                except DatabaseError as error:
                    _log.warning("commands_unheard", reason=str(error))
                await asyncio.sleep(AGAIN_S)

    def _wake(self, told: Iterable[str]) -> None:
        """Those who asked; all of them at the beginning: who knows what was missed."""
        for command_id, stirred in self._asked.items():
            if not told or str(command_id) in told:
                stirred.set()

    async def _for_us(self, told: frozenset[str]) -> list[UUID]:
        """The commands to calls that are carried here, or were."""
        if told:
            pairs = [
                (UUID(call), UUID(command)) for call, _, command in (each.partition(" ") for each in told) if command
            ]
        else:
            async with db_session(self._engine) as db:
                pairs = list(await commands.waiting_commands(db))
        return [command_id for call_id, command_id in pairs if self._is_ours(call_id)]

    async def _answer_for(self, command_id: UUID) -> None:
        """Do what was asked, if nobody else has taken it and it is not too late."""
        try:
            async with db_session(self._engine) as db:
                command = await commands.take_command(db, command_id)
            if command is None:
                return
            outcome = await self._obey(command)
            async with db_session(self._engine) as db:
                await commands.finish_command(db, command_id, outcome)
                if "done" in outcome:
                    await _note(db, Actor(command.requested_by, command.key_id), command.kind, command.call_id)
        except DatabaseError as error:
            _log.warning("command_unanswered", command=str(command_id), reason=str(error))

    async def _obey(self, command: CallCommand) -> dict[str, Any]:
        try:
            wanted = unpack(Sent(command.kind, command.data))
            return {"done": await self._do(command.call_id, wanted, command.requested_by)}
        except CallNotLive:
            return {"refused": _NOT_LIVE, "message": OVER}
        except CommandRefused as refusal:
            return {"refused": refusal.code, "message": str(refusal)}
        except Exception:  # a job run: whoever asked hears of it, and others are answered
            _log.exception("command_broke", command=str(command.id))
            return {"refused": "internal_error", "message": "It went wrong; the log of that server says how."}


def _read(answer: dict[str, Any]) -> Outcome:
    """What another process wrote."""
    match answer:
        case {"done": "done" | "under_way" | "unchanged" as outcome}:
            return outcome  # type: ignore[no-any-return] # what was just matched
        case {"refused": "call_not_live"}:
            raise CallNotLive(OVER)
        case _:
            raise CommandRefused(str(answer.get("refused")), str(answer.get("message")))


async def _require_live(db: AsyncSession, call_id: UUID) -> None:
    status = await call_status(db, call_id)
    if status is None:
        raise CallUnknown("There is no call of this id.")
    if status == CallStatus.ENDED:
        raise CallNotLive(OVER)


async def _note(db: AsyncSession, who: Actor, action: str, call_id: UUID) -> None:
    await audit.note(db, who, action, f"call/{call_id}")
