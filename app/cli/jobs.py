"""`parley jobs …`: the work after the calls, as a person sees it."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.markup import escape

from app.jobs.job import JobKind, JobState
from app.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from app.db.tables import Job, JobPause

app = typer.Typer(name="jobs", help="See what work waits, failed or is paused, and send it round again.")

MOST = 200
_LINE = "{:<36}  {:<16}  {:<7}  {:>5}  {:>7}"
_COLOURS = {"failed": "red", "running": "green", "done": "dim"}


@app.callback()
def jobs() -> None:
    """See what work waits, failed or is paused, and send it round again."""


@app.command("list")
def list_(
    state: Annotated[JobState | None, typer.Option(help="Only these.")] = None,
    most: Annotated[int, typer.Option(min=1, help="So many, newest first.")] = MOST,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """List the newest jobs; the kinds that are paused, and why, come first."""
    from app.db.jobs import list_jobs, pauses

    async def work(db: "AsyncSession") -> None:
        paused, found = await pauses(db), await list_jobs(db, state=state, most=most)
        if as_json:
            typer.echo(json.dumps({"paused": [*map(_pause, paused)], "jobs": [*map(_job, found)]}, indent=2))
        else:
            _show(paused, found)

    _run(work)


@app.command()
def retry(
    job_id: Annotated[UUID | None, typer.Argument(help="The job's id.", show_default=False)] = None,
    all_failed: Annotated[bool, typer.Option("--all-failed", help="Every job that failed.")] = False,
) -> None:
    """Give a failed job all its tries again, or hurry one that waits."""
    from app.db.jobs import failed_jobs
    from app.jobs.manage import JobError
    from app.jobs.manage import retry as again

    if (job_id is None) is not all_failed:
        raise typer.BadParameter("give the id of a job, or --all-failed")

    async def work(db: "AsyncSession") -> None:
        for each in [job_id] if job_id else await failed_jobs(db):
            try:
                await again(db, each)
                typer.echo(f"{each} waits.")
            except JobError as error:
                if job_id:
                    raise
                typer.echo(f"{error}", err=True)

    _run(work)


@app.command()
def resume(kind: Annotated[JobKind, typer.Argument(help="The kind that is paused.")]) -> None:
    """Have a paused kind worked at again now; it is probed every ten minutes anyway."""
    from app.jobs.manage import resume as end

    async def work(db: "AsyncSession") -> None:
        await end(db, kind)
        typer.echo(f"{kind.value} goes on.")

    _run(work)


def _run(work: "Callable[[AsyncSession], Awaitable[None]]") -> None:
    from app.conf.opening import open_store
    from app.db.engine import db_session

    async def opened() -> None:
        async with open_store(Settings.load(), strict=False) as parts, db_session(parts.engine) as db:
            await work(db)

    asyncio.run(opened())


def _show(paused: "Sequence[JobPause]", found: "Sequence[Job]") -> None:
    console = Console(highlight=False)
    for pause in paused:
        times = f"since {pause.since:%Y-%m-%d %H:%M} UTC, probed again at {pause.until:%H:%M}"
        console.print(f"[bold red]{pause.kind} is paused[/] {times}: {escape(pause.reason)}", soft_wrap=True)
    now = datetime.now(UTC)
    console.print(f"[bold]{_LINE.format('id', 'kind', 'state', 'tries', 'age')}[/]" if found else "No jobs.")
    for job in found:
        line = _LINE.format(str(job.id), job.kind, job.state, job.attempts, _span(now - job.created_at))
        console.print(f"[{_COLOURS.get(job.state, 'default')}]{line}[/]", soft_wrap=True)
        console.print(f"  {escape(_details(job, now))}", soft_wrap=True)


def _details(job: "Job", now: datetime) -> str:
    """What it is about, what went wrong with it, and when it is tried again."""
    reason = f": {job.reason}" if job.reason else ""
    waits = job.state == JobState.WAITING and job.run_after > now
    return f"{job.subject}{reason}" + (f" (again in {_span(job.run_after - now)})" if waits else "")


def _job(job: "Job") -> dict[str, Any]:
    names = "kind", "subject", "state", "attempts", "reason"
    moments = "created_at", "run_after", "updated_at"
    return {
        "id": str(job.id),
        **{name: getattr(job, name) for name in names},
        **{name: getattr(job, name).isoformat() for name in moments},
    }


def _pause(pause: "JobPause") -> dict[str, Any]:
    return {
        "kind": pause.kind,
        "reason": pause.reason,
        "since": pause.since.isoformat(),
        "until": pause.until.isoformat(),
    }


def _span(span: timedelta) -> str:
    """A length of time as people say it: 40 s, 12 min, 3 h, 5 d."""
    seconds = max(span.total_seconds(), 0)
    for limit, unit, name in ((120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds / 86_400:.0f} d"
