"""Workers as processes of their own, and real kills between every two steps of a job."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db import tables
from app.sandbox.openai.brain import ScriptedBrain
from app.sandbox.openai.server import SandboxOpenAI
from app.sandbox.openai.transcription_desk import TranscriptionFault
from app.sandbox.voices.clips import clip
from app.settings import Settings
from tests.db.call_house import House
from tests.e2e.dying_worker import PLACES

QUESTION, ANSWER = "opening_hours", "opening_sunday"
PIECES = 2
"""The caller's and the agent's: each is a request."""
REPEATED = {"answered"}
"""Killed here, a worker has an answer that nobody kept."""


@pytest.fixture
async def openai() -> AsyncIterator[SandboxOpenAI]:
    async with SandboxOpenAI(ScriptedBrain([])) as sandbox:
        heard = TranscriptionFault(body='{"text":"Yes."}')  # at once: what is heard is for other tests
        sandbox.transcriptions.faults.extend([heard] * 100)
        yield sandbox


@pytest.fixture
def environment(openai: SandboxOpenAI, database_url: str, tmp_path: Path) -> Mapping[str, str]:
    ours = {name.upper() for name in Settings.model_fields}
    return {name: value for name, value in os.environ.items() if name.upper() not in ours} | {
        "DATABASE_URL": database_url,
        "DATA_DIR": str(tmp_path),
        "SECRET_KEY": "s" * 32,
        "OPENAI_API_KEY": openai.api_key,
        "OPENAI_TRANSCRIPTION_URL": openai.transcription_url,
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }


@asynccontextmanager
async def process(environment: Mapping[str, str], *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A Python of its own, in a folder without an `.env`; killed with the block, if it lives then."""
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        env=dict(environment),
        cwd=environment["DATA_DIR"],
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield running
    finally:
        if running.returncode is None:
            running.kill()
        await running.wait()


def worker(environment: Mapping[str, str]):
    return process(environment, "-m", "app", "worker", "--heartbeat-s", "4")


async def started(worker: asyncio.subprocess.Process) -> None:
    """Return when the worker says that it works."""
    assert worker.stderr
    async with asyncio.timeout(30):
        while b"worker_ready" not in await worker.stderr.readline():
            assert worker.returncode is None


async def test_a_worker_killed_between_any_two_steps_leaves_one_transcript(
    engine: AsyncEngine, openai: SandboxOpenAI, environment: Mapping[str, str], tmp_path: Path
):
    house = House(engine, tmp_path)
    async with process(environment, "-m", "tests.e2e.dying_worker") as dying:
        assert dying.stdin
        assert dying.stdout
        for step in PLACES:
            house.call(clip(QUESTION), b"\xff" * len(clip(QUESTION)) + clip(ANSWER))
            await house.all_home()
            dying.stdin.write(f"{step}\n".encode())
            async with asyncio.timeout(30):
                assert int(await dying.stdout.readline()) == signal.SIGKILL

    async with worker(environment) as one, worker(environment) as other:
        await asyncio.gather(all_done(engine), started(one), started(other))
        one.terminate()
        other.terminate()
        async with asyncio.timeout(10):
            assert (await one.wait(), await other.wait()) == (0, 0)

    transcripts = await house.rows(tables.Transcript)
    assert len(transcripts) == len(PLACES)
    for transcript in transcripts:
        assert transcript.state == "done"
        assert [segment["text"] for segment in transcript.segments] == ["Yes."] * PIECES
    assert (await house.messages())["transcript.ready"] == len(PLACES)
    attempts = sorted((job.subject, job.attempts) for job in await house.rows(tables.Job))
    assert [count for _, count in attempts] == [2] * (len(PLACES) - 1) + [
        1
    ]  # killed after its end, it is not run again
    assert len(openai.transcriptions.requests) == PIECES * len(PLACES) + len(REPEATED)
    async with engine.connect() as connection:
        assert await connection.scalar(text("select count(*) from pgqueuer")) == 0


async def all_done(engine: AsyncEngine) -> None:
    """Return when no job is left."""
    left = text("select count(*) from jobs where state <> 'done'")
    async with asyncio.timeout(30):
        while True:
            async with engine.connect() as connection:
                if not await connection.scalar(left):
                    return
            await asyncio.sleep(0.05)
