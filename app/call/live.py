"""One live call, from its stream's start to its last word: bridge, farewell, journal, registry."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import structlog

from app.call.bridge import Bridge
from app.call.carrier import Carrier
from app.call.commands import Command, Outcome, PickedUp
from app.call.elsewhere.away import Ways
from app.call.elsewhere.elsewhere import Elsewhere
from app.call.elsewhere.hourly import Hourly
from app.call.elsewhere.pickup import Pickup
from app.call.events import CallEvent, Kind
from app.call.farewell import Farewell
from app.call.journal.journal import Finished, JournalWriter
from app.call.journal.redacted import RedactedEvents
from app.call.legs.colleague import Colleague
from app.call.legs.dialling import OpenSession, ReopenSession
from app.call.legs.followers import Followers
from app.call.legs.switching import Switching
from app.call.money.spending import Spending
from app.call.operator import Operator
from app.call.record import CallRecord
from app.call.registry import Registry
from app.call.socket import StreamSocket
from app.call.sound.recording import CallRecording
from app.call.status import CallStatus, EndReason, may_move
from app.call.tools.collecting import CollectDigits
from app.call.tools.digits import CollectedDigits
from app.call.tools.open_tools import OpenTools
from app.call.tools.tool_calls import Handler, ToolCalls
from app.call.tools.tool_tasks import ToolTasks
from app.call.turns.first_flow import first_flow
from app.call.turns.keypad import KeyWorks
from app.conf.models import (
    AgentConf,
    CollectDigitsTool,
    FunctionTool,
    SendDtmfTool,
    StopRecordingTool,
    SwitchAgentTool,
    TransferCallTool,
)
from app.timing import Deadlines, clock

_log = structlog.get_logger(__name__)

_CLOSE_CODES: Mapping[EndReason, int] = {EndReason.ERROR: 1011}


class LiveCall:
    """Carries one call, and leaves its folder finished behind. It is its own `CallControl`."""

    def __init__(
        self,
        record: CallRecord,
        agent: AgentConf,
        *,
        socket: StreamSocket,
        stream_sid: str,
        fallback_number: str | None,
        voicemail_url: str | None = None,
        open_session: OpenSession,
        sessions_of: Callable[[AgentConf], ReopenSession],
        find_colleague: Callable[[str], Colleague],
        run_tool: Handler,
        tool_tasks: ToolTasks | None = None,
        carrier: Carrier,
        ways: Ways,
        transfers: Hourly,
        dial_prefixes: Callable[[], Sequence[str]],
        journals: JournalWriter,
        registry: Registry,
        deadlines: Deadlines,
        finished: Finished,
        spending: Spending | None = None,
        first_notes: Sequence[tuple[Kind, Mapping[str, Any]]] = (),
        digits: CollectedDigits | None = None,
    ) -> None:
        self._record = record
        self._journals = journals
        self._registry = registry
        self._clock = clock(deadlines.speed)
        self._started_ms = self._clock()
        self._finished = finished
        self._first_notes = first_notes
        self._spending = spending or Spending()
        records = agent.recording.own and record.recording == "on"
        redacted = RedactedEvents(agent.redaction)
        self._journal = journals.open(record, now_ms=self._now_ms, records=records, redacted=redacted)
        self._recording = CallRecording(
            agent.recording,
            call_sid=record.call_sid,
            journal=self._journal,
            journals=journals,
            carrier=carrier,
            carrier_s=deadlines.carrier_s,
            registry=registry,
            now_ms=self._now_ms,
        )
        open_tools = OpenTools.of(agent.offered)
        own: dict[type[FunctionTool], Handler] = {}  # whoever changes the call itself is there once the call is
        tools = ToolCalls(
            agent.functions,
            own=own,
            others=run_tool,
            deadline_s=deadlines.tool_s,
            confirming=open_tools.confirming,
            tasks=tool_tasks,
        )
        flow = first_flow(
            agent,
            tools.hang_up_tools,
            tools=open_tools,
            spending=self._spending,
            goodbye_ms=deadlines.ms(deadlines.goodbye_s),
        )
        self._bridge = Bridge(
            socket=socket,
            stream_sid=stream_sid,
            agent=agent,
            open_session=open_session,
            reopen_session=sessions_of(agent),
            run_tool=tools.run,
            flow=flow,
            journal=self._journal,
            now_ms=self._now_ms,
            deadlines=deadlines,
            session_ready=self._on_session_ready,
        )
        collect_digits = CollectDigits(
            keypad=flow.keypad,
            ears=self._bridge,
            recording=self._recording,
            digits=digits or CollectedDigits(),
            note=self.note,
            now_ms=self._now_ms,
            tick_s=deadlines.tick_s,
        )
        self._pickup = Pickup(
            agent.answering_machine,
            agent.language,
            bridge=self._bridge,
            carrier=carrier,
            call_sid=record.call_sid,
            note=self._note,
        )
        self._farewell = Farewell(
            agent,
            carrier,
            record.call_sid,
            fallback_number=fallback_number,
            voicemail_url=voicemail_url,
            leave_message=self._pickup.leave,
            within_s=deadlines.carrier_s,
        )
        self._elsewhere = Elsewhere(
            self._bridge,
            flow,
            self._journal,
            agent,
            carrier=carrier,
            ways=ways,
            transfers=transfers,
            dial_prefixes=dial_prefixes,
            fallback_numbers=filter(None, (fallback_number, agent.fallback.number)),
            deadlines=deadlines,
            move=self._move,
            now_ms=self._now_ms,
        )
        followers = Followers(
            tools=tools,
            transferring=self._elsewhere.transferring,
            farewell=self._farewell,
            redacted=redacted,
            bridge=self._bridge,
            flow=flow,
        )
        switching = Switching(
            record.agent,
            agent.recording,
            followers,
            find=find_colleague,
            sessions_of=sessions_of,
            when_heard=self._elsewhere.away.when_heard,
            note=self._note,
            now_ms=self._now_ms,
            tick_s=deadlines.tick_s,
        )
        own |= {
            StopRecordingTool: lambda _asked: self._recording.decline(),
            CollectDigitsTool: collect_digits,
            TransferCallTool: self._elsewhere.transferring.run,
            SwitchAgentTool: switching.run,
            SendDtmfTool: self._elsewhere.pressing.run,
        }
        flow.keypad.works = KeyWorks(
            transfer=self._elsewhere.transferring.to, switch_agent=switching.to, kept=redacted.typed
        )
        self._operator = Operator(
            bridge=self._bridge,
            flow=flow,
            recording=self._recording,
            transfer=self._elsewhere.transfer,
            transferring=self._elsewhere.transferring,
            journal=self._journal,
            now_ms=self._now_ms,
        )

    async def run(self) -> CallRecord:
        """Carry the call to its end and return its final record; both sockets are closed by then."""
        call_sid = self._record.call_sid
        self._registry.enter(call_sid, self._record.id, self)
        self._note(Kind.CALL_STARTED, agent=self._record.agent, agent_version=self._record.agent_version)
        for kind, data in self._first_notes:
            self._note(kind, **data)
        self._recording.begin()
        _log.info("call_started", agent=self._record.agent, caller=self._record.from_number)
        reason = EndReason.ERROR
        try:
            reason = await self._carry()
            self._registry.mark_ended(call_sid, reason)
            await self._farewell.say(reason)
        finally:
            self._registry.mark_ended(call_sid, reason)
            await self._bridge.caller.close(_CLOSE_CODES.get(reason, 1000))
            record = self._final_record(reason)
            await self._journals.close(self._journal, record, self._finished)
            self._registry.leave(call_sid)
            _log.info("call_ended", reason=reason, seconds=round(self._now_ms() / 1000, 1))
        return record

    def end(self, reason: EndReason) -> None:
        """End the call; whoever says so first is believed."""
        self._bridge.end(reason)

    @property
    def leaving(self) -> bool:
        """Whether its caller is elsewhere, so that another stream may come."""
        return self._elsewhere.away.busy

    async def rejoin(self, socket: StreamSocket, stream_sid: str) -> None:
        """Go on in that stream, and return when it is needed no more; raises `Refused` where none is awaited."""
        await self._elsewhere.rejoin(socket, stream_sid)

    def dialled(self, status: str, number: int) -> str | None:
        """How that transfer went, by its `DialCallStatus`: TwiML for what follows. None where it is not under way."""
        return self._elsewhere.transfer.dialled(status, number)

    async def obey(self, command: Command, by: str) -> Outcome:
        """Do what somebody outside wants, named in the journal; raises `CommandRefused`, and then nothing was done."""
        if isinstance(command, PickedUp):
            return await self._pickup.hear(command.answered_by)
        return await self._operator.obey(command, by)

    async def pause_recording(self) -> bool:
        """Keep nothing of what is said from here on; False where nothing was being recorded."""
        return await self._recording.pause()

    async def resume_recording(self) -> bool:
        """Keep it again; False where the recording was not paused."""
        return await self._recording.resume()

    async def _carry(self) -> EndReason:
        reason = EndReason.ERROR
        try:
            reason = await self._bridge.run()
        except Exception:  # the edge of a call: whatever broke, the caller gets the fallback and the others go on
            _log.exception("call_broke")
        finally:
            self._journal.recorder.end(self._now_ms())
        return await self._elsewhere.transfer.settle(reason)

    def _on_session_ready(self) -> None:
        self._journal.record = replace(self._journal.record, answered_at=datetime.now(UTC))
        self._move(CallStatus.LIVE)

    def _final_record(self, reason: EndReason) -> CallRecord:
        self._move(CallStatus.ENDED)
        self._journal.note_gap()
        self._registry.spend(self._record.call_sid, self._spending.usd(self._now_ms()))
        self._note(Kind.CALL_ENDED, reason=reason, spent_usd=self._spending.totals(self._now_ms()))
        return replace(self._journal.record, ended_at=datetime.now(UTC), end_reason=reason)

    def _move(self, to: CallStatus) -> None:
        record = self._journal.record
        if may_move(record.status, to):
            self._journal.record = replace(record, status=to)

    def note(self, kind: Kind, **data: Any) -> None:
        """Write down what a tool did; one that goes on when the call is over is too late."""
        if self._journal.record.status is not CallStatus.ENDED:
            self._note(kind, **data)

    def _note(self, kind: Kind, **data: Any) -> None:
        self._journal.add(CallEvent(kind, int(self._now_ms()), data))

    def _now_ms(self) -> float:
        return self._clock() - self._started_ms
