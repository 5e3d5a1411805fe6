"""Callbacks that go out beside a call, which never waits for them."""

import asyncio
from collections.abc import Mapping

from app.errors import CarrierFault
from app.sandbox.twilio.network import Network
from app.sandbox.twilio.timeline import Chronicle, WebhookAnswered


class Callbacks:
    """Sends callbacks in order; one that fails is a warning, and is not tried again."""

    def __init__(self, network: Network, chronicle: Chronicle) -> None:
        self._network = network
        self._chronicle = chronicle
        self._last: asyncio.Task[None] | None = None

    def send(self, url: str, params: Mapping[str, str], *, method: str = "POST") -> None:
        """Send it as soon as those before it have been answered."""
        self._last = asyncio.create_task(self._send(self._last, url, params, method), name="sandbox-callback")

    async def drain(self) -> None:
        """Wait until all have been answered."""
        if self._last:
            await self._last

    async def close(self) -> None:
        """Give up those that have not been answered yet."""
        if self._last:
            self._last.cancel()  # and with it, one after another, those it waits for
            await asyncio.wait([self._last])

    async def _send(self, before: asyncio.Task[None] | None, url: str, params: Mapping[str, str], method: str) -> None:
        if before:
            await before
        try:
            answer = await self._network.webhook(url, params, method=method)
        except CarrierFault as fault:
            self._chronicle.warn(fault.code, str(fault))
            return
        self._chronicle.add(WebhookAnswered(self._chronicle.now(), url, answer.status, answer.took_ms))
        if answer.status >= 400:
            self._chronicle.warn(11200, f"{url} answered {answer.status}")
