"""From settings to an open store: what `serve` and `conf` share."""

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
from app.settings import Settings


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
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        key_ring = load_key_ring(settings.secret_key, settings.data_dir)
        if settings.database_url:
            url = settings.database_url.get_secret_value()
        else:
            from app.db.embedded import EmbeddedPostgres

            url = await stack.enter_async_context(EmbeddedPostgres(settings.data_dir))
        engine = create_engine(url)
        stack.push_async_callback(engine.dispose)
        store = ConfStore(engine, key_ring, known or Known(), settings.data_dir)

        async def prepare() -> None:
            await migrate(engine)
            await store.refresh(strict=strict)
            await seed(store, settings)

        await store.load(prepare)
        yield Opened(store, engine, key_ring)
