"""Everything that takes one call's caller elsewhere and brings them back, put together."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from app.call.bridge import Bridge
from app.call.carrier import Carrier
from app.call.elsewhere.away import Away, Ways
from app.call.elsewhere.hourly import Hourly
from app.call.elsewhere.pressing import Pressing
from app.call.elsewhere.transfer import Transfer
from app.call.elsewhere.transferring import Transferring
from app.call.events import CallEvent, Kind
from app.call.journal.call_journal import Journal
from app.call.socket import StreamSocket
from app.call.status import CallStatus
from app.call.turns.flow import CallFlow
from app.conf.models import AgentConf
from app.errors import Refused
from app.timing import Deadlines


class Elsewhere:
    """One call's transfers and keys; the call itself goes on, its session open, while its caller is away."""

    def __init__(
        self,
        bridge: Bridge,
        flow: CallFlow,
        journal: Journal,
        agent: AgentConf,
        *,
        carrier: Carrier,
        ways: Ways,
        transfers: Hourly,
        dial_prefixes: Callable[[], Sequence[str]],
        fallback_numbers: Iterable[str],
        deadlines: Deadlines,
        move: Callable[[CallStatus], None],
        now_ms: Callable[[], float],
    ) -> None:
        record = journal.record
        self._bridge = bridge
        self._journal = journal
        self._now_ms = now_ms
        self.away = Away(
            bridge.caller, flow.hush, carrier, record.call_sid, deadlines=deadlines, now_ms=now_ms, end=bridge.end
        )
        self.transfer = Transfer(
            self.away,
            record,
            ways=ways,
            allowed_prefixes=dial_prefixes,
            fallback_numbers=frozenset(fallback_numbers),
            hourly=transfers,
            deadlines=deadlines,
            end=bridge.end,
        )
        self.transferring = Transferring(
            self.transfer,
            self.away,
            agent.functions,
            bridge=bridge,
            note=self._note,
            move=move,
            max_s=agent.max_call_seconds,
        )
        self.pressing = Pressing(self.away, ways, note=self._note)

    async def rejoin(self, socket: StreamSocket, stream_sid: str) -> None:
        """Go on in that stream, and return when it is needed no more; raises `Refused` where none is awaited."""
        if self._bridge.over:
            raise Refused("the call is ending")
        stream = await self._bridge.caller.join(socket, stream_sid)
        await stream.done.wait()

    def _note(self, kind: Kind, **data: Any) -> None:
        if self._journal.record.status is not CallStatus.ENDED:  # its last event is written
            self._journal.add(CallEvent(kind, int(self._now_ms()), data))
