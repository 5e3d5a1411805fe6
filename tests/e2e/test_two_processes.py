"""Two server processes on one database: what one is told, the other knows; whatever one carries, the other shows."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from app.call.events import Kind
from tests.e2e.calls_api import SHARED, Api, client, following, listed, told
from tests.e2e.rig import CALLED

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def another_process(database_url: str, data_dir: Path) -> AsyncIterator[httpx.AsyncClient]:
    """`parley serve` as a process of its own, and a client of it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {"DATABASE_URL": database_url, "DATA_DIR": str(data_dir), "PORT": str(port)}
    shared = {name.upper(): value for name, value in SHARED.items()}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app", "serve"),
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **settings, **shared},
        cwd=data_dir.parent,  # where no .env of a developer is
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with client(f"http://127.0.0.1:{port}") as http:
            async with asyncio.timeout(60):
                while not await ready(http):
                    assert process.returncode is None, "it did not start"
                    await asyncio.sleep(0.05)  # another process has no event to await
            yield http
    finally:
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0


async def ready(http: httpx.AsyncClient) -> bool:
    try:
        return (await http.get("/readyz")).is_success
    except httpx.TransportError:
        return False


async def test_a_change_at_one_process_applies_at_the_other_and_its_calls_are_followed_from_there(
    api: Api, database_url: str, tmp_path: Path
):
    async with another_process(database_url, tmp_path / "other") as elsewhere:
        written = await elsewhere.put("/api/v1/agents/other", json={"config": {"instructions": "From elsewhere."}})
        assert written.status_code == 201, written.text
        await elsewhere.put(f"/api/v1/numbers/{CALLED}", json={"config": {"agent": "other"}})
        async with asyncio.timeout(1):
            while getattr(api.house.services.conf.number(CALLED), "agent", None) != "other":  # noqa: ASYNC110
                await asyncio.sleep(0.01)

        call = await api.house.ring()
        session = await api.house.openai.session()
        await call.wait_heard(300)
        assert "From elsewhere." in json.dumps(session.config)
        live = await listed(api)
        assert live["agent"] == "other"
        seen = []
        async with asyncio.timeout(20), following(elsewhere, live["id"]) as stream:
            async for number, kind, _ in told(stream.aiter_lines()):
                seen.append((int(number), kind))
                if kind == Kind.AGENT_TRANSCRIPT and call.status == "in-progress":
                    await call.hang_up()
        _, events = await api.house.settled(call)
        assert seen == [(event.seq, event.kind) for event in events]
