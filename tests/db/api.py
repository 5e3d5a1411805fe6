"""The admin REST on a real database, asked without a socket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from app.conf.secrets import KeyRing
from app.conf.store import ConfStore
from app.db import api_keys
from app.db.api_keys import Scope
from app.db.audit import Actor
from app.db.engine import db_session
from app.known import known
from app.main import _find_key
from app.openai.realtime import OpenAIProvider
from tests.unit.web.house import House, open_house

TESTER = Actor("tester")


@dataclass
class Api:
    """The API, and the holder of an admin key who asks it."""

    app: FastAPI
    engine: AsyncEngine
    store: ConfStore
    house: House
    key: str

    async def ask(self, method: str, path: str, *, key: str | None = None, **arguments: Any) -> httpx.Response:
        """One request below `/api/v1`, with the admin key unless another one is given (or '', for none)."""
        headers = dict(arguments.pop("headers", {}))
        if (given := self.key if key is None else key) != "":
            headers.setdefault("Authorization", f"Bearer {given}")
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://inside/api/v1") as client:
            return await client.request(method, path, headers=headers, **arguments)

    async def a_key(self, *scopes: Scope) -> str:
        """A new key with these scopes."""
        async with db_session(self.engine) as db:
            return (await api_keys.add_key(db, "a key", scopes, who=TESTER))[1]


@asynccontextmanager
async def open_api(engine: AsyncEngine, data_dir: Path) -> AsyncIterator[Api]:
    """The routes over an empty database."""
    store = ConfStore(engine, KeyRing(["k" * 32]), known(), data_dir)
    async with db_session(engine) as db:
        _, key = await api_keys.add_key(db, "the tester's", ["admin"], who=TESTER)
    async with open_house() as house:
        providers = {"openai": OpenAIProvider(store.openai)}
        house.change(store=store, engine=engine, find_key=partial(_find_key, engine), providers=providers)
        yield Api(house.app, engine, store, house, key)
