"""`core_conf`: read from memory without waiting, written with versions, kept fresh by LISTEN."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import structlog
from sqlalchemy import exc, select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.conf import snapshot
from app.conf.models import (
    DEFAULT,
    AgentConf,
    Conf,
    Known,
    LimitsConf,
    NumberConf,
    OpenAICoreConf,
    OutboundConf,
    PricesConf,
    TwilioCoreConf,
    WebhookConf,
)
from app.conf.records import Records, ShownRow
from app.conf.secrets import KeyRing, redact
from app.conf.writes import Author, Writes, Written
from app.db import core_conf
from app.db.audit import Actor
from app.db.core_conf import Row
from app.db.engine import db_session
from app.db.files import write_private
from app.db.listen import notifications
from app.errors import ConfMissing, DatabaseError, ParleyError

DATABASE_WITHIN_S = 3.0
"""A database that does not answer within this at start is away."""
RETRY_S = (0.2, 5.0)

ConfT = TypeVar("ConfT", bound=Conf)

log = structlog.get_logger()


class ConfStore:
    """What the operator has set. Reads answer from memory; only writes wait for the database."""

    def __init__(self, engine: AsyncEngine, key_ring: KeyRing, known: Known, data_dir: Path) -> None:
        self._engine = engine
        self._key_ring = key_ring
        self._known = known
        self.writes = Writes(engine, key_ring, known, self._refresh_if_possible)
        """Everything that changes rows."""
        self.records = Records(engine, key_ring, known)
        """Rows and their versions as the database has them now."""
        self._file = data_dir / "core_conf.json"
        self._snapshot: snapshot.Snapshot = {}
        self._filed: Sequence[Row] | None = None
        self._refreshing = asyncio.Lock()
        self._prepare: Callable[[], Awaitable[None]] | None = None
        self.loaded = False
        """Whether there is a snapshot at all."""
        self.fresh = False
        """Whether the database is there, and tells us of every change."""

    # reading

    def agent(self, name: str) -> AgentConf:
        """The agent of that name."""
        return self._get("agent", name, AgentConf)

    def agents(self) -> dict[str, AgentConf]:
        """Every agent by its name."""
        return self.all_of(AgentConf)

    def all_of(self, kind: type[ConfT]) -> dict[str, ConfT]:
        """Every row of that kind by its name."""
        return {name: entry.conf for (_, name), entry in self._snapshot.items() if isinstance(entry.conf, kind)}

    def agent_version(self, name: str) -> int:
        """The version of that agent's row; a call remembers it."""
        self.agent(name)
        return self._snapshot["agent", name].row.version

    def number(self, number: str) -> NumberConf | None:
        """Who answers that number: its own row, else `default`, else nobody."""
        entry = self._snapshot.get(("number", number)) or self._snapshot.get(("number", DEFAULT))
        return entry.conf if entry and isinstance(entry.conf, NumberConf) else None

    def openai(self, name: str = DEFAULT) -> OpenAICoreConf:
        """Access to OpenAI under that name."""
        return self._get("openai", name, OpenAICoreConf)

    def twilio(self, name: str = DEFAULT) -> TwilioCoreConf:
        """Access to the Twilio account under that name."""
        return self._get("twilio", name, TwilioCoreConf)

    def twilio_accounts(self) -> list[TwilioCoreConf]:
        """Every Twilio account that may send us requests."""
        return [*self.all_of(TwilioCoreConf).values()]

    def own_numbers(self) -> list[str]:
        """The numbers that have a row of their own."""
        return [name for section, name in self._snapshot if section == "number" and name != DEFAULT]

    def outbound(self) -> OutboundConf:
        """What calls that we place must keep to."""
        entry = self._snapshot.get(("outbound", DEFAULT))
        return entry.conf if entry and isinstance(entry.conf, OutboundConf) else OutboundConf()

    def prices(self) -> PricesConf:
        """What the operator says that models and minutes cost."""
        entry = self._snapshot.get(("prices", DEFAULT))
        return entry.conf if entry and isinstance(entry.conf, PricesConf) else PricesConf()

    def limits(self) -> LimitsConf:
        """How much callers may use up."""
        entry = self._snapshot.get(("limits", DEFAULT))
        return entry.conf if entry and isinstance(entry.conf, LimitsConf) else LimitsConf()

    def webhook(self, name: str) -> WebhookConf:
        """The server of that name that is told of events."""
        return self._get("webhook", name, WebhookConf)

    def get(self, section: str, name: str) -> Conf:
        """The row, typed; raises `ConfMissing`."""
        return self._get(section, name, Conf)

    def rows(self, section: str | None = None) -> list[ShownRow]:
        """The rows, or those of one section, as anybody may see them."""
        return [
            ShownRow.of(row, redact(entry.conf))
            for entry in self._snapshot.values()
            if section in {None, (row := entry.row).section}
        ]

    def warnings(self) -> list[str]:
        """What is set but cannot work yet."""
        return [
            f"agent/{entry.row.name} uses {agent.provider}/{agent.account}, which is not set"
            for entry in self._snapshot.values()
            if isinstance(agent := entry.conf, AgentConf) and (agent.provider, agent.account) not in self._snapshot
        ]

    # writing

    async def put(
        self, section: str, name: str, value: object, *, by: str | Actor, expected_version: int | None = None
    ) -> Written:
        """Write the row; expecting version 0 is expecting that there is none.

        A secret that is left out, or given in its masked form, stays as it is; null takes it away. An agent may be
        given in old words.
        """
        return await self.writes.put(section, name, value, Author(by), expected_version)

    async def patch(
        self, section: str, name: str, patch: Mapping[str, Any], *, by: str | Actor, expected_version: int | None = None
    ) -> Written:
        """Change these fields of the row, as a JSON merge patch does; raises `ConfMissing` without one."""
        return await self.writes.patch(section, name, patch, Author(by), expected_version)

    async def delete(self, section: str, name: str, *, by: str | Actor, expected_version: int | None = None) -> None:
        """Delete the row; an agent that answers a number is refused."""
        await self.writes.delete(section, name, Author(by), expected_version)

    async def ever_written(self) -> frozenset[tuple[str, str]]:
        """The keys of all rows that are or were."""
        async with db_session(self._engine) as db:
            return await core_conf.ever_written(db)

    # keeping up

    async def load(self, prepare: Callable[[], Awaitable[None]] | None = None) -> None:
        """Fill the snapshot from the database, or from the last one kept when it is away.

        `prepare` is what the database needs before it can be read; with the database away `listen` does it later.
        """
        try:
            async with asyncio.timeout(DATABASE_WITHIN_S), db_session(self._engine) as db:
                await db.execute(select(1))
        except (DatabaseError, TimeoutError) as error:
            self._prepare = prepare
            self._load_file(error)
            return
        await (prepare() if prepare else self.refresh(strict=True))

    async def refresh(self, *, strict: bool = False) -> None:
        """Read every row again; `strict` raises `SecretsError` for one that none of our keys opens."""
        async with self._refreshing:  # one at a time, or an older reading could replace a newer one
            async with db_session(self._engine) as db:
                rows = await core_conf.read_rows(db)
            self._take(rows, strict=strict)
            if rows != self._filed:
                await self._keep(rows)

    async def listen(self) -> None:
        """Keep the snapshot fresh until cancelled, however often the database goes and comes back."""
        delay_s = RETRY_S[0]
        while True:
            try:
                async with contextlib.aclosing(notifications(self._engine, core_conf.CHANNEL)) as changes:
                    async for _ in changes:
                        if self._prepare:
                            await self._prepare()
                            self._prepare = None
                        await self.refresh()
                        self.fresh, delay_s = True, RETRY_S[0]
            except (ParleyError, exc.SQLAlchemyError) as error:
                log.warning("core_conf_not_fresh", reason=str(error), retry_s=delay_s)
            finally:
                self.fresh = False
            await asyncio.sleep(delay_s)
            delay_s = min(delay_s * 2, RETRY_S[1])

    def _get(self, section: str, name: str, kind: type[ConfT]) -> ConfT:
        entry = self._snapshot.get((section, name))
        if entry is None or not isinstance(entry.conf, kind):
            raise ConfMissing(f"{section}/{name} is not set; set it with: parley conf set {section} {name}")
        return entry.conf

    def _take(self, rows: Sequence[Row], *, strict: bool) -> None:
        self._snapshot = snapshot.take(rows, self._snapshot, self._key_ring, self._known, strict=strict)
        self.loaded = True

    async def _refresh_if_possible(self) -> None:
        with contextlib.suppress(DatabaseError):  # what was written is written; `listen` catches up
            await self.refresh()

    async def _keep(self, rows: Sequence[Row]) -> None:
        try:
            await asyncio.to_thread(write_private, self._file, snapshot.to_text(rows))
            self._filed = rows
        except OSError as error:
            log.warning("core_conf_not_kept", file=str(self._file), reason=str(error))

    def _load_file(self, reason: Exception) -> None:
        try:
            rows = snapshot.from_text(self._file.read_text())
        except (OSError, ValueError):
            raise DatabaseError(
                f"{str(reason) or 'the database does not answer'} (and no snapshot is kept)"
            ) from reason
        log.warning("database_away_at_start", reason=str(reason) or "it does not answer", snapshot=str(self._file))
        self._take(rows, strict=True)
