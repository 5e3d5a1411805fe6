"""A PostgreSQL that comes along: started when the first Parley process needs it, stopped when the last one is gone."""

import asyncio
import contextlib
import fcntl
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType

import asyncpg

from app.db import supervisor
from app.db.cluster import (
    ENVIRONMENT,
    SUPERUSER,
    account_for,
    binaries_for,
    make_cluster,
    place_for,
    reachable,
    server_command,
)
from app.db.engine import DRIVER_ERRORS
from app.db.files import write_private
from app.errors import DatabaseError

START_S = 60.0
STOP_S = 20.0
POLL_S = 0.02
LAUNCHES = 2
"""A second one gets another port, should somebody have taken the first."""


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach the server; kept in a file that only our user may read."""

    cluster: str
    """Relative to the file's own directory, which may be moved, or absolute where it lives elsewhere."""
    port: int
    password: str = field(repr=False)

    @property
    def url(self) -> str:
        """The same, as SQLAlchemy reads it."""
        return f"postgresql+asyncpg://{SUPERUSER}:{self.password}@127.0.0.1:{self.port}/postgres"


class EmbeddedPostgres:
    """The server of one data directory; processes that share the directory share the server.

    Nothing but file locks says who uses it, so that any process may be killed at any moment.
    """

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        """Without `durable` a power cut may destroy the data; for tests."""
        self._home = data_dir.resolve() / "postgres"
        self._durable = durable
        self._user_lock: int | None = None
        self._url: str | None = None

    @property
    def url(self) -> str:
        """Where the running server is."""
        if self._url is None:
            raise DatabaseError("the embedded database is not started")
        return self._url

    async def start(self) -> str:
        """Have a server that answers, our own or the one that runs already; returns its URL."""
        try:
            self._home.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
            self._user_lock = os.open(self._home / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
            self._url = await self._get_server(self._user_lock, time.monotonic() + START_S)
        except BaseException as error:
            self._leave()
            if isinstance(error, OSError):
                raise DatabaseError(f"the embedded database cannot be used: {error}") from error
            raise
        return self._url

    async def stop(self) -> None:
        """Let go of the server; if nobody else uses it, return when it is down."""
        if self._user_lock is None:
            return
        self._leave()
        deadline = time.monotonic() + STOP_S
        while time.monotonic() < deadline and not self._used_by_others() and self._supervised():  # noqa: ASYNC110
            await asyncio.sleep(POLL_S)  # a lock of another process has no event to await

    async def __aenter__(self) -> str:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    async def _get_server(self, user_lock: int, deadline: float) -> str:
        while not _try_lock(user_lock, fcntl.LOCK_SH):  # a server that is just being stopped
            await self._pause(deadline)
        launches = 0
        while True:
            if launches < LAUNCHES:
                launches += await asyncio.to_thread(self._launch_if_there_is_none)
            elif not self._supervised():
                raise DatabaseError(f"the embedded database does not start: {self._last_words()}")
            if (connection := self._connection()) and await _answers(connection):
                return connection.url
            await self._pause(deadline)

    async def _pause(self, deadline: float) -> None:
        if time.monotonic() > deadline:
            raise DatabaseError(f"the embedded database did not answer within {START_S:g} s: {self._last_words()}")
        await asyncio.sleep(POLL_S)

    def _launch_if_there_is_none(self) -> bool:
        """Whoever gets the supervisor's lock starts one, which inherits it and holds it for as long as it lives."""
        lock = os.open(self._home / "supervisor.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if not _try_lock(lock, fcntl.LOCK_EX):
                return False
            self._launch(lock)
            return True
        finally:
            os.close(lock)

    def _launch(self, lock: int) -> None:
        known = self._connection()
        cluster = self._home / known.cluster if known else place_for(self._home)
        account = account_for(cluster)
        binaries = reachable(binaries_for(cluster), account)
        if known is None and cluster.exists():
            raise DatabaseError(f"{cluster} has data, but its password is lost: put back {self._home}/connection.json")
        place = str(cluster.relative_to(self._home) if cluster.is_relative_to(self._home) else cluster)
        password = known.password if known else secrets.token_urlsafe(24)
        connection = Connection(place, _free_port(), password)
        write_private(self._home / "connection.json", json.dumps(asdict(connection)))
        if not cluster.exists():
            make_cluster(cluster, binaries, account, password, durable=self._durable)
        plan = supervisor.Plan(
            command=server_command(cluster, binaries, connection.port, durable=self._durable),
            account=account.popen if account else {},
            environment=ENVIRONMENT,
            cluster=str(cluster),
            users_file=str(self._home / "users.lock"),
        )
        with (self._home / "server.log").open("wb") as server_log:
            subprocess.run(  # noqa: S603 (returns at once: it forks itself away)
                [sys.executable, "-I", "-S", supervisor.__file__, json.dumps(plan)],
                pass_fds=[lock],
                stdin=subprocess.DEVNULL,
                stdout=server_log,
                stderr=server_log,
                cwd="/",
                env=ENVIRONMENT,
                check=True,
            )

    def _connection(self) -> Connection | None:
        try:
            return Connection(**json.loads((self._home / "connection.json").read_text()))
        except FileNotFoundError:
            return None

    def _leave(self) -> None:
        self._url = None
        if self._user_lock is not None:
            os.close(self._user_lock)
            self._user_lock = None

    def _used_by_others(self) -> bool:
        """Users hold the lock shared; the supervisor takes it for itself alone once they are gone."""
        probe = os.open(self._home / "users.lock", os.O_RDWR)
        try:
            return not _try_lock(probe, fcntl.LOCK_EX) and _try_lock(probe, fcntl.LOCK_SH)
        finally:
            os.close(probe)

    def _supervised(self) -> bool:
        probe = os.open(self._home / "supervisor.lock", os.O_RDWR)
        try:
            return not _try_lock(probe, fcntl.LOCK_SH)
        finally:
            os.close(probe)

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            lines = (self._home / "server.log").read_text(errors="replace").splitlines()
            return " / ".join(lines[-3:])
        return "it left no log"


async def _answers(connection: Connection) -> bool:
    try:
        link = await asyncpg.connect(connection.url.replace("+asyncpg", ""), timeout=2)
    except (OSError, *DRIVER_ERRORS):
        return False
    await link.close()
    return True


def _try_lock(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
