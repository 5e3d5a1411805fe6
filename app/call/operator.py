"""What an operator does to one live call: each command once in its journal, then done."""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

import structlog

from app.call.actions import Action, Beside, End, Instruct, Reconnect, Say, TellModel
from app.call.bridge import Bridge
from app.call.commands import (
    ChangeInstructions,
    Command,
    GiveText,
    HangUp,
    Outcome,
    PauseRecording,
    RestartSession,
    ResumeRecording,
    SayWords,
    TransferCall,
    name_of,
)
from app.call.elsewhere.transfer import Transfer
from app.call.elsewhere.transferring import FAILED, Transferring
from app.call.events import CallEvent, Kind
from app.call.journal.call_journal import Journal
from app.call.sound.recording import CallRecording
from app.call.status import CallStatus, EndReason
from app.call.turns.flow import CallFlow
from app.errors import CommandRefused

_NOT_READY = "The call has no agent at this moment: it is still being connected. Try again."
_TOO_MANY = "The call has had three new sessions in five minutes: if the next one fails too, it ends. Try again later."

_log = structlog.get_logger(__name__)


class Operator:
    """Performs commands. What needs the agent is refused while none is connected; a refusal changes nothing."""

    def __init__(
        self,
        *,
        bridge: Bridge,
        flow: CallFlow,
        recording: CallRecording,
        transfer: Transfer,
        transferring: Transferring,
        journal: Journal,
        now_ms: Callable[[], float],
    ) -> None:
        self._bridge = bridge
        self._flow = flow
        self._recording = recording
        self._transfer = transfer
        self._transferring = transferring
        self._journal = journal
        self._now_ms = now_ms

    async def obey(self, command: Command, by: str) -> Outcome:
        """Do it; raises `CommandRefused`."""
        told = {"action": name_of(command), "by": by, **asdict(command)}
        try:
            self._check(command)
        except CommandRefused as refusal:
            self._note(Kind.OPERATOR_COMMAND, **told, refused=refusal.code)
            raise
        self._note(Kind.OPERATOR_COMMAND, **told)
        return await self._do(command)

    def _check(self, command: Command) -> None:
        match command:
            case TransferCall(to, announce):
                self._transfer.check(to)
                if announce:
                    self._require_agent()
            case SayWords() | GiveText() | ChangeInstructions():
                self._require_agent()
            case RestartSession():
                self._require_agent()
                if not self._bridge.agent.may_reconnect:
                    raise CommandRefused("too_many_sessions", _TOO_MANY)

    async def _do(self, command: Command) -> Outcome:
        match command:
            case HangUp(message) if message and self._bridge.ready and not self._transfer.under_way:
                return await self._say_last(message, End(EndReason.OPERATOR))
            case HangUp():
                self._bridge.end(EndReason.OPERATOR)
            case SayWords(text):
                await self._ask(Say(text))
            case GiveText(text, role, respond):
                await self._ask(TellModel(text, role, respond))
            case ChangeInstructions(instructions):
                await self._ask(Instruct(instructions))
            case TransferCall(to, announce) if announce:
                return await self._say_last(announce, Beside(partial(self._hand_over_later, to)))
            case TransferCall(to):
                await self._transferring.order(to)
            case RestartSession() if not self._bridge.agent.steady:
                return "unchanged"
            case RestartSession():
                await self._ask(Reconnect("operator"))
            case PauseRecording():
                return "done" if await self._recording.pause() else "unchanged"
            case ResumeRecording():
                return "done" if await self._recording.resume() else "unchanged"
        return "done"

    async def _say_last(self, words: str, then: Action) -> Outcome:
        await self._ask(*self._flow.say_last(words, then, self._now_ms()))
        return "under_way"

    async def _hand_over_later(self, to: str) -> None:
        """The caller has heard that they are put through; where that fails, they hear that as well."""
        try:
            await self._transferring.order(to)
        except CommandRefused as refusal:
            _log.warning("transfer_failed", code=refusal.code)
            await self._bridge.perform([TellModel(FAILED, "system")])

    async def _ask(self, *actions: Action) -> None:
        if not await self._bridge.perform(actions):
            raise CommandRefused("not_ready", _NOT_READY)

    def _require_agent(self) -> None:
        if not self._bridge.ready:
            raise CommandRefused("not_ready", _NOT_READY)

    def _note(self, kind: Kind, **data: Any) -> None:
        if self._journal.record.status is not CallStatus.ENDED:  # its last event is written
            self._journal.add(CallEvent(kind, int(self._now_ms()), data))
