"""A database that is stopped while people talk: the API says so at once, calls go on, and nothing of them is lost."""

import asyncio
import shutil
import signal
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from app.call.status import EndReason
from app.db.cluster import (
    SUPERUSER,
    Account,
    account_for,
    binaries_for,
    make_cluster,
    place_for,
    reachable,
    server_command,
)
from app.db.engine import create_engine
from app.db.migrate import migrate
from app.sandbox.openai.brain import ScriptedBrain
from tests.e2e.calls_api import HELLO, SHARED, client
from tests.e2e.rig import open_rig

AT_ONCE_S = 2.0
PASSWORD = "of-this-test"
READS = (
    "agents",
    "agents/default",
    "agents/default/versions",
    "numbers",
    "config/openai/default",
    "calls",
    "calls/01900000-0000-7000-8000-000000000000",
    "calls/01900000-0000-7000-8000-000000000000/events",
    "outbound",
    "do-not-call",
    "keys",
    "audit",
)


@dataclass
class Database:
    """A PostgreSQL of the test's own, which may be stopped and started at one port."""

    command: list[str]
    account: Account | None
    url: str
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Have it run, and answer."""
        self.process = await asyncio.create_subprocess_exec(
            *self.command,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            **(self.account.popen if self.account else {}),
        )
        async with asyncio.timeout(20):
            while not await self.answers():  # noqa: ASYNC110 (another process has no event to await)
                await asyncio.sleep(0.05)

    async def answers(self) -> bool:
        """Whether it can be used."""
        try:
            link = await asyncpg.connect(self.url.replace("+asyncpg", ""))
        except (OSError, asyncpg.CannotConnectNowError):
            return False
        await link.close()
        return True

    async def stop(self) -> None:
        """Have it end now, whoever is connected."""
        if self.process and self.process.returncode is None:
            self.process.send_signal(signal.SIGQUIT)
            await self.process.wait()


@pytest.fixture
async def database(reachable_dir: Path) -> AsyncIterator[Database]:
    home = reachable_dir / "away"
    home.mkdir(mode=0o711)
    cluster = place_for(home)
    account = account_for(cluster)
    binaries = reachable(binaries_for(cluster), account)
    await asyncio.to_thread(make_cluster, cluster, binaries, account, PASSWORD, durable=False)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"postgresql+asyncpg://{SUPERUSER}:{PASSWORD}@127.0.0.1:{port}/postgres"
    database = Database(server_command(cluster, binaries, port, durable=False), account, url)
    await database.start()
    engine = create_engine(database.url)
    await migrate(engine)
    await engine.dispose()
    try:
        yield database
    finally:
        await database.stop()
        shutil.rmtree(home)


async def test_reads_say_at_once_that_the_database_is_away_and_calls_go_on(database: Database, tmp_path: Path):
    brain = ScriptedBrain([HELLO, HELLO])
    async with open_rig(database.url, tmp_path, brain, agent={}, **SHARED) as house, client(house.url) as http:
        assert (await http.get("/api/v1/agents")).status_code == 200
        talking = await house.ring()
        await talking.wait_heard(300)
        await database.stop()

        for path in READS:
            asked_at = time.monotonic()
            answer = await http.get(f"/api/v1/{path}")
            assert (answer.status_code, answer.json()["code"]) == (503, "database_away"), path
            assert int(answer.headers["retry-after"]) > 0
            assert time.monotonic() - asked_at < AT_ONCE_S, path
        assert (await http.put("/api/v1/agents/a", json={"config": {}})).status_code == 503
        assert (await http.get("/readyz")).status_code == 200  # it can take calls

        await talking.wait_heard(1000)
        assert talking.status == "in-progress"
        another = await house.ring()
        await another.wait_heard(1000)
        for call in (talking, another):
            await call.hang_up()

        await database.start()
        for call in (talking, another):
            record, events = await house.saved(call)
            assert record.end_reason is EndReason.CALLER_HANGUP
            assert [event.seq for event in events] == list(range(1, len(events) + 1))
        assert (await http.get("/api/v1/calls")).json()["has_more"] is False
