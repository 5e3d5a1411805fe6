"""`parley calls …`: calls that were and calls that go on, from the shell."""

import json
import zipfile
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer
from rich.console import Console

from app.call.status import CallStatus
from app.cli.house import run
from app.cli.telling import calls_table, moment, tell_call
from app.errors import ParleyError
from app.settings import Settings

if TYPE_CHECKING:
    from app.conf.opening import Opened

app = typer.Typer(name="calls", help="Search, read and export calls.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="For programs, in the words of the API.")]


@app.command("list")
def list_(
    *,
    agent: Annotated[str | None, typer.Option(help="Only this agent's.")] = None,
    number: Annotated[str | None, typer.Option(help="Only with this number on either side.")] = None,
    since: Annotated[
        datetime | None, typer.Option(parser=moment, metavar="WHEN", help="2026-11-21, or 90m, 12h, 7d ago.")
    ] = None,
    status: Annotated[CallStatus | None, typer.Option(help="Only these; live for those that go on.")] = None,
    text: Annotated[str | None, typer.Option(help='Words that were said: refund "next week" -invoice.')] = None,
    limit: Annotated[int, typer.Option(min=1, help="So many, newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List calls, newest first; those that go on are among them."""
    from app.db.call_queries import CallFilter, list_calls
    from app.db.engine import db_session

    wanted = CallFilter(agent=agent, number=number, since=since, status=status, words=text)

    async def work(parts: "Opened") -> None:
        async with db_session(parts.engine) as db:
            found = await list_calls(db, wanted, limit)
        if as_json:
            from app.web.api.call_models import show_line

            typer.echo(json.dumps([show_line(each).model_dump(mode="json") for each in found], indent=2))
        else:
            Console().print(calls_table(found) if found else "No calls.")

    run(work)


@app.command()
def show(
    call: Annotated[str, typer.Argument(help="The call's id, or Twilio's: CA….")], *, as_json: AsJson = False
) -> None:
    """Tell one call: what was said when, tools, how quickly it answered, what it cost, recordings and transcripts."""
    from app.call.journal.digest import digest
    from app.db.call_queries import events_after, get_call, recordings_with_words
    from app.db.calls import find_call
    from app.db.engine import db_session
    from app.web.api.call_cost import bill_for

    async def work(parts: "Opened") -> None:
        async with db_session(parts.engine) as db:
            found = None if (call_id := _uuid(call)) else await find_call(db, call)
            call_id = UUID(found.id) if found else call_id
            if call_id is None or (row := await get_call(db, call_id)) is None:
                raise ParleyError(f"there is no call {call}")
            events = await events_after(db, row.id, 0)
            recordings = await recordings_with_words(db, row)
        told, bill = digest(events), bill_for(row, events, recordings, parts.store.prices())
        if as_json:
            from app.web.api.call_models import show_call

            typer.echo(show_call(row, told, recordings, bill).model_dump_json(indent=2))
        else:
            tell_call(Console(), row, told, recordings, bill)

    run(work)


@app.command()
def export(
    number: Annotated[str, typer.Option(help="The number at the other end: who called, or whom we called.")],
    output: Annotated[Path, typer.Option(help="A file (calls.zip), or a folder to unpack into.")],
) -> None:
    """Write all that is kept of a number's calls: events, transcripts and recordings, a folder for each call."""
    from app.db.call_queries import calls_of
    from app.db.engine import db_session
    from app.recordings.export import export_calls
    from app.recordings.storage import open_storage

    settings = Settings.load()
    storage_url = settings.storage_url.get_secret_value() if settings.storage_url else None
    storage = open_storage(storage_url, settings.data_dir)
    archive = output if output.suffix == ".zip" else output / "calls.zip"

    async def work(parts: "Opened") -> None:
        async with db_session(parts.engine) as db:
            if not await calls_of(db, number, 1):
                raise ParleyError(f"there is no call with {number} at the other end")
        archive.parent.mkdir(parents=True, exist_ok=True)
        with archive.open("wb") as file:
            async for piece in export_calls(parts.engine, storage, number):
                file.write(piece)

    run(work)
    with zipfile.ZipFile(archive) as written:
        calls = len({Path(name).parts[0] for name in written.namelist()})
        if archive != output:
            written.extractall(output)
            archive.unlink()
    typer.echo(f"{calls} call{'' if calls == 1 else 's'} in {output}")


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
