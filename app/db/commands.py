"""The questions we ask of commands: what was asked of a live call in another process, and what came of it."""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.call.commands import Sent
from app.db.audit import Actor
from app.db.tables import CallCommand

CHANNEL = "call_commands"
"""Where each new command is told as `call command`, and each one that has its outcome as `command`."""
_TELL = text("select pg_notify(:channel, :told)")


class CommandState(StrEnum):
    WAITING = "waiting"
    TAKEN = "taken"
    """By the process that carries the call: it is being done."""
    DONE = "done"
    """With its outcome, which may be a refusal."""
    GIVEN_UP = "given_up"
    """Nobody took it in time, and nobody will."""


async def add_command(
    db: AsyncSession, command_id: UUID, call_id: UUID, command: Sent, who: Actor, *, within: timedelta
) -> None:
    """Ask whichever process carries the call; it must begin within that time."""
    row = {
        "id": command_id,
        "call_id": call_id,
        "kind": command.kind,
        "data": command.data,
        "requested_by": who.name,
        "key_id": who.key_id,
        "state": CommandState.WAITING,
        "expires_at": func.now() + within,  # by one clock, which is not ours
    }
    await db.execute(insert(CallCommand).values(row))
    await _tell(db, f"{call_id} {command_id}")


async def waiting_commands(db: AsyncSession) -> Sequence[tuple[UUID, UUID]]:
    """The commands that nobody has taken yet: of which call, and their own ids."""
    waiting = select(CallCommand.call_id, CallCommand.id).where(_WAITING).order_by(CallCommand.id)
    return [(call_id, command_id) for call_id, command_id in await db.execute(waiting)]


async def take_command(db: AsyncSession, command_id: UUID) -> CallCommand | None:
    """The command, for whoever asks first and in time; None for all others."""
    taken = update(CallCommand).where(CallCommand.id == command_id, _WAITING).values(state=CommandState.TAKEN)
    return (await db.scalars(taken.returning(CallCommand))).one_or_none()


async def finish_command(db: AsyncSession, command_id: UUID, outcome: dict[str, Any]) -> None:
    """Tell whoever asked what came of it."""
    done = update(CallCommand).where(CallCommand.id == command_id)
    await db.execute(done.values(state=CommandState.DONE, outcome=outcome))
    await _tell(db, str(command_id))


async def outcome_of(db: AsyncSession, command_id: UUID) -> dict[str, Any] | None:
    """What came of it; None as long as that is not known."""
    found: dict[str, Any] | None = await db.scalar(select(CallCommand.outcome).where(CallCommand.id == command_id))
    return found


async def give_up_command(db: AsyncSession, command_id: UUID) -> bool:
    """See to it that nobody does it any more; False where somebody has begun."""
    waiting = CallCommand.state == CommandState.WAITING
    given_up = update(CallCommand).where(CallCommand.id == command_id, waiting).values(state=CommandState.GIVEN_UP)
    return await db.scalar(given_up.returning(CallCommand.id)) is not None


async def purge_commands(db: AsyncSession, older_than: timedelta) -> None:
    """Forget commands of long ago: the journals of their calls have them."""
    await db.execute(delete(CallCommand).where(CallCommand.created_at < func.now() - older_than))


async def _tell(db: AsyncSession, told: str) -> None:
    await db.execute(_TELL, {"channel": CHANNEL, "told": told})


_WAITING = (CallCommand.state == CommandState.WAITING) & (CallCommand.expires_at > func.now())
