"""Live calls: how many there are, how one is reached, and whether new ones are taken."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from app.call.control import CallControl
from app.call.status import EndReason

REMEMBERED = 10_000
"""How many ended calls are remembered, so that a late request about one is answered rightly."""

RecordingWish = Literal["paused", "declined"]


class Registry:
    """The calls that this process carries, by Twilio's call sid."""

    def __init__(self, *, max_calls: int) -> None:
        self.max_calls = max_calls
        self.draining = False
        self._live: dict[str, _Live] = {}
        self._ended: OrderedDict[str, EndReason] = OrderedDict()
        self._over: OrderedDict[str, None] = OrderedDict()
        self._wishes: OrderedDict[str, RecordingWish] = OrderedDict()
        self._spent_usd: OrderedDict[str, Decimal] = OrderedDict()
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def live_count(self) -> int:
        """How many calls are live, those included that are saying farewell."""
        return len(self._live)

    def carries(self, call_sid: str) -> bool:
        """Whether that call is live, perhaps saying farewell."""
        return call_sid in self._live

    def is_live(self, call_sid: str) -> bool:
        """Whether this process carries that call, and it is not ending."""
        return call_sid in self._live and call_sid not in self._ended

    def ended(self, call_sid: str) -> EndReason | None:
        """How a call of this process ended; None while it lives, or when we never had it."""
        return self._ended.get(call_sid)

    def control(self, call: str) -> CallControl | None:
        """The live call of that call sid, or of our own id; None where it is not here, or is ending."""
        for call_sid, live in self._live.items():
            if call in {call_sid, live.call_id}:
                return live.control if self.is_live(call_sid) else None
        return None

    def had(self, call_id: str) -> bool:
        """Whether that call, by our own id, was carried here and is over or ending."""
        ending = any(each.call_id == call_id for sid, each in self._live.items() if sid in self._ended)
        return ending or call_id in self._over

    def enter(self, call_sid: str, call_id: str, control: CallControl) -> None:
        """A call is live."""
        self._live[call_sid] = _Live(call_id, control)
        self._ended.pop(call_sid, None)
        self._empty.clear()

    def wish(self, call_sid: str, wish: RecordingWish | None) -> None:
        """What was decided about that phone call's recording; it holds for its later streams as well."""
        if wish is None:
            self._wishes.pop(call_sid, None)
        else:
            self._wishes[call_sid] = wish
        if len(self._wishes) > REMEMBERED:
            self._wishes.popitem(last=False)

    def wished(self, call_sid: str) -> RecordingWish | None:
        """What was decided about that phone call's recording so far."""
        return self._wishes.get(call_sid)

    def spend(self, call_sid: str, usd: Decimal) -> None:
        """What that phone call had cost when its stream ended; its later streams go on counting from there."""
        self._spent_usd[call_sid] = usd
        if len(self._spent_usd) > REMEMBERED:
            self._spent_usd.popitem(last=False)

    def spent_usd(self, call_sid: str) -> Decimal:
        """What the earlier streams of that phone call cost."""
        return self._spent_usd.get(call_sid, Decimal(0))

    def mark_ended(self, call_sid: str, reason: EndReason) -> None:
        """A call has ended; it may still be saying farewell."""
        self._ended.setdefault(call_sid, reason)
        if len(self._ended) > REMEMBERED:
            self._ended.popitem(last=False)

    def leave(self, call_sid: str) -> None:
        """A call is over, its folder finished."""
        gone = self._live.pop(call_sid)
        gone.over.set()
        self._over[gone.call_id] = None
        if len(self._over) > REMEMBERED:
            self._over.popitem(last=False)
        if not self._live:
            self._empty.set()

    def end(self, call_sid: str, reason: EndReason) -> None:
        """End a live call; one that is over already is left alone."""
        if live := self._live.get(call_sid):
            live.control.end(reason)

    def end_all(self, reason: EndReason) -> None:
        """End every live call."""
        for call_sid in list(self._live):
            self.end(call_sid, reason)

    async def wait_over(self, call_sid: str) -> None:
        """Return when that call is over; at once when it is not here."""
        if live := self._live.get(call_sid):
            await live.over.wait()

    async def wait_empty(self) -> None:
        """Return when no call is live."""
        await self._empty.wait()


@dataclass(frozen=True, slots=True)
class _Live:
    call_id: str
    control: CallControl
    over: asyncio.Event = field(default_factory=asyncio.Event)
