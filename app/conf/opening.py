"""From settings to an open store: what `serve` and `conf` share."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from app.conf.models import Known
from app.conf.secrets import KeyRing, load_key_ring
from app.conf.seed import seed
from app.conf.store import ConfStore
from app.db.engine import create_engine
from app.db.migrate import migrate
from app.errors import DatabaseError, SettingsError
from app.settings import Settings

DISPOSE_S = 1.0


@dataclass(frozen=True, slots=True)
class Opened:
    """The store and what it stands on."""

    store: ConfStore
    engine: AsyncEngine
    key_ring: KeyRing


@asynccontextmanager
async def open_store(settings: Settings, known: Known | None = None, *, strict: bool = True) -> AsyncIterator[Opened]:
    """Database (configured or embedded), migrated and seeded; store loaded. Everything closes with the block.

    With the database away and a snapshot kept, the store opens from that. `strict` refuses to start (`SecretsError`)
    with a row that none of the keys opens; without it, that row can be replaced.
    """
    async with AsyncExitStack() as stack:
        try:
            settings.data_dir.mkdir(parents=True, exist_ok=True)
            key_ring = load_key_ring(settings.secret_key, settings.data_dir)
        except OSError as error:
            raise SettingsError(f"DATA_DIR: {error}") from error
        if settings.database_url:
            url = settings.database_url.get_secret_value()
        else:
            from app.db.embedded import EmbeddedPostgres

            url = await stack.enter_async_context(EmbeddedPostgres(settings.data_dir))
        engine = create_engine(url)
        stack.push_async_callback(_dispose, engine)
        store = ConfStore(engine, key_ring, known or Known(), settings.data_dir)

        async def prepare() -> None:
            await migrate(engine)
            await store.refresh(strict=strict)
            await seed(store, settings)

        try:
            await store.load(prepare)
        except (DatabaseError, TypeError) as error:  # a TypeError is the driver's word for an option it does not know
            raise SettingsError(f"DATABASE_URL: {error}") if settings.database_url else error from error
        yield Opened(store, engine, key_ring)


async def _dispose(engine: AsyncEngine) -> None:
    """Close the pool; a database that hangs cannot hold us."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DISPOSE_S):
            await engine.dispose()
