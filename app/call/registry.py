"""Live calls: how many there are, who may end them, and whether new ones are taken."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from app.call.status import EndReason

REMEMBERED = 10_000
"""How many ended calls are remembered, so that a late request about one is answered rightly."""


class Registry:
    """The calls that this process carries, by Twilio's call sid."""

    def __init__(self, *, max_calls: int) -> None:
        self.max_calls = max_calls
        self.draining = False
        self._live: dict[str, _Live] = {}
        self._ended: OrderedDict[str, EndReason] = OrderedDict()
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def live_count(self) -> int:
        """How many calls are live, those included that are saying farewell."""
        return len(self._live)

    def is_live(self, call_sid: str) -> bool:
        """Whether this process carries that call, and it is not ending."""
        return call_sid in self._live and call_sid not in self._ended

    def ended(self, call_sid: str) -> EndReason | None:
        """How a call of this process ended; None while it lives, or when we never had it."""
        return self._ended.get(call_sid)

    def enter(self, call_sid: str, end: Callable[[EndReason], None]) -> None:
        """A call is live; `end` ends it for a reason."""
        self._live[call_sid] = _Live(end)
        self._ended.pop(call_sid, None)
        self._empty.clear()

    def mark_ended(self, call_sid: str, reason: EndReason) -> None:
        """A call has ended; it may still be saying farewell."""
        self._ended.setdefault(call_sid, reason)
        if len(self._ended) > REMEMBERED:
            self._ended.popitem(last=False)

    def leave(self, call_sid: str) -> None:
        """A call is over, its folder finished."""
        self._live.pop(call_sid).over.set()
        if not self._live:
            self._empty.set()

    def end(self, call_sid: str, reason: EndReason) -> None:
        """End a live call; one that is over already is left alone."""
        if live := self._live.get(call_sid):
            live.end(reason)

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
    end: Callable[[EndReason], None]
    over: asyncio.Event = field(default_factory=asyncio.Event)
