"""Guarded clients that stay open from one request to the next, so that a connection is made once."""

from collections.abc import Iterable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

import httpx

from app.egress.client import Resolve, guarded_client, resolve

MOST_CLIENTS = 200
"""Lists that were changed leave a client behind; with so many of them we begin anew."""


class GuardedClients:
    """One client for each list of what is let in: a connection never serves somebody who may not make it."""

    def __init__(self, *, timeout_s: float, resolve: Resolve = resolve) -> None:
        self._timeout_s = timeout_s
        self._resolve = resolve
        self._clients: dict[frozenset[str], httpx.AsyncClient] = {}
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clients.clear()
        await self._open.aclose()

    def client(self, allow: Iterable[str]) -> httpx.AsyncClient:
        """The client for that list, open until all of them close."""
        key = frozenset(allow)
        if key not in self._clients:
            if len(self._clients) >= MOST_CLIENTS:
                self._clients.clear()  # those in use finish; all close at the end
            made = guarded_client(sorted(key), timeout_s=self._timeout_s, resolve=self._resolve)
            self._open.push_async_callback(made.aclose)
            self._clients[key] = made
        return self._clients[key]
