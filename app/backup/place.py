"""What is backed up, and what is restored into: database, storage and data directory, as they are found."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import NullPool
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.db.engine import CONNECT_TIMEOUT_S, create_engine
from app.errors import SettingsError
from app.recordings.storage import Storage, open_storage
from app.settings import Settings

KEY_FILE = "secret_key"
"""Where the data directory has the key ring of a house without SECRET_KEY."""


@dataclass(frozen=True, slots=True)
class Place:
    """A house that is not at work; nothing in it is migrated or seeded."""

    engine: AsyncEngine
    """Without a time limit for statements: a whole table takes a while."""
    storage: Storage
    data_dir: Path
    secret_key: SecretStr | None = field(repr=False)
    """The environment's, where it has one: the data directory's then counts for nothing."""

    @property
    def calls(self) -> Path:
        """The folders of calls."""
        return self.data_dir / "calls"

    @property
    def key_file(self) -> Path:
        """The key ring, where there is one here."""
        return self.data_dir / KEY_FILE


@asynccontextmanager
async def open_place(settings: Settings) -> AsyncIterator[Place]:
    """The house of these settings; its database is started where it comes along with us."""
    async with AsyncExitStack() as stack:
        try:
            settings.data_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(f"DATA_DIR: {error}") from error
        if settings.database_url:
            url = settings.database_url.get_secret_value()
        else:
            from app.db.embedded import EmbeddedPostgres

            url = await stack.enter_async_context(EmbeddedPostgres(settings.data_dir))
        parsed = create_engine(url).url  # it knows how hosted databases spell their URLs
        connect = {"timeout": CONNECT_TIMEOUT_S}
        engine = create_async_engine(parsed, poolclass=NullPool, hide_parameters=True, connect_args=connect)
        stack.push_async_callback(engine.dispose)
        storage_url = settings.storage_url.get_secret_value() if settings.storage_url else None
        yield Place(engine, open_storage(storage_url, settings.data_dir), settings.data_dir, settings.secret_key)
