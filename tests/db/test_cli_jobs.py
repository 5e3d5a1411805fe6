"""`parley jobs` as the shell has it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner

from app.cli.jobs import app
from app.db import jobs
from app.db.engine import create_engine, db_session
from app.jobs.job import GiveUp, Job, JobKind, PauseKind
from app.jobs.manage import JobError
from app.jobs.queue import enqueue
from app.jobs.run import Runs
from app.settings import Settings

T = TypeVar("T")


@pytest.fixture
def parley(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for field in Settings.model_fields:
        monkeypatch.delenv(field.upper(), raising=False)
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str):
        return CliRunner().invoke(app, list(arguments))

    return run


@pytest.fixture
def failed(database_url: str) -> dict[str, UUID]:
    """A delivery that failed, a transcript whose kind is paused, and a deletion that waits."""

    async def make(engine: AsyncEngine) -> dict[str, UUID]:
        async with db_session(engine) as db:
            await db.execute(text("truncate jobs, job_pauses, pgqueuer"))
            for kind in (JobKind.DELIVER, JobKind.TRANSCRIBE, JobKind.DELETE_RECORDING):
                await enqueue(db, kind, f"subject of {kind}")
        async with db_session(engine) as db:
            ids = {job.kind: job.id for job in await jobs.list_jobs(db)}
        runs = Runs(engine, {JobKind.DELIVER: give_up, JobKind.TRANSCRIBE: pause})
        await runs(ids[JobKind.DELIVER])
        await runs(ids[JobKind.TRANSCRIBE])
        return ids

    return asked(database_url, make)


async def give_up(_job: Job) -> None:
    raise GiveUp("the server [/api] answers 410")


async def pause(_job: Job) -> None:
    raise PauseKind("OpenAI rejected the key")


def asked(url: str, question: Callable[[AsyncEngine], Awaitable[T]]) -> T:
    async def ask() -> T:
        engine = create_engine(url)
        try:
            return await question(engine)
        finally:
            await engine.dispose()

    return asyncio.run(ask())


def states(url: str) -> dict[str, str]:
    async def look(engine: AsyncEngine) -> dict[str, str]:
        async with db_session(engine) as db:
            return {job.kind: job.state for job in await jobs.list_jobs(db)}

    return asked(url, look)


def test_jobs_are_listed_with_what_became_of_them_and_pauses_first(parley, failed):
    shown = parley("list")
    assert shown.exit_code == 0, shown.output
    first, *lines = shown.stdout.splitlines()
    assert first.startswith("transcribe is paused since")
    assert "OpenAI rejected the key" in first
    [line] = [line for line in lines if str(failed["deliver"]) in line]
    assert "failed" in line
    assert "  subject of deliver: the server [/api] answers 410" in lines
    assert max(len(each) for each in [line, lines[0]]) < 80


def test_only_those_of_a_state_are_listed(parley, failed):
    shown = parley("list", "--state", "failed").stdout
    assert str(failed["deliver"]) in shown
    assert str(failed["transcribe"]) not in shown


def test_programs_get_json(parley, failed):
    shown = json.loads(parley("list", "--json", "--state", "failed").stdout)
    [job], [paused] = shown["jobs"], shown["paused"]
    assert (job["id"], job["kind"], job["state"]) == (str(failed["deliver"]), "deliver", "failed")
    assert (job["attempts"], job["reason"]) == (1, "the server [/api] answers 410")
    assert (paused["kind"], paused["reason"]) == ("transcribe", "OpenAI rejected the key")


def test_a_failed_job_is_sent_round_again(parley, failed, database_url):
    done = parley("retry", str(failed["deliver"]))
    assert (done.exit_code, done.stdout) == (0, f"{failed['deliver']} waits.\n")
    assert states(database_url)["deliver"] == "waiting"


def test_every_failed_job_is_sent_round_again(parley, failed, database_url):
    assert parley("retry", "--all-failed").stdout == f"{failed['deliver']} waits.\n"
    assert states(database_url)["deliver"] == "waiting"
    assert parley("retry", "--all-failed").stdout == ""


@pytest.mark.parametrize("arguments", [(), ("01900000-0000-7000-8000-000000000000", "--all-failed"), ("x",)])
def test_which_jobs_to_retry_must_be_said(parley, arguments):
    assert parley("retry", *arguments).exit_code == 2


def test_a_job_that_there_is_not_is_an_error(parley, failed):
    done = parley("retry", "01900000-0000-7000-8000-000000000000")
    assert isinstance(done.exception, JobError)


def test_a_paused_kind_is_resumed(parley, failed):
    assert parley("resume", "transcribe").stdout.endswith("transcribe goes on.\n")
    assert json.loads(parley("list", "--json").stdout)["paused"] == []
    assert isinstance(parley("resume", "transcribe").exception, JobError)


def test_a_list_without_jobs_says_so(parley, database_url):
    async def empty(engine: AsyncEngine) -> None:
        async with db_session(engine) as db:
            await db.execute(text("truncate jobs, job_pauses, pgqueuer"))

    asked(database_url, empty)
    assert parley("list").stdout == "No jobs.\n"
