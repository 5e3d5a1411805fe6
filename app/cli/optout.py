"""`parley optout …`: numbers that are never called."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from app.cli.house import me, run
from app.conf.models import e164
from app.conf.opening import Opened
from app.db.engine import db_session
from app.db.opt_outs import list_opt_outs, opt_in, opt_out
from app.errors import ParleyError

app = typer.Typer(name="optout", help="The do-not-call list.", no_args_is_help=True)

Number = Annotated[str, typer.Argument(help="In E.164 form, like +15551234567.")]


@app.command()
def add(number: Number, note: Annotated[str | None, typer.Option(help="Why.")] = None) -> None:
    """Never call a number again; calls to it that wait in the queue will be refused."""
    checked = _checked(number)

    async def work(opened: Opened) -> None:
        async with db_session(opened.engine) as db:
            added = await opt_out(db, checked, me("optout"), note=note)
        typer.echo(f"{checked} is on the do-not-call list{'' if added else ' already'}.")

    run(work)


@app.command()
def remove(number: Number) -> None:
    """Let a number be called again."""
    checked = _checked(number)

    async def work(opened: Opened) -> None:
        async with db_session(opened.engine) as db:
            if not await opt_in(db, checked, me("optout")):
                raise ParleyError(f"{checked} is not on the do-not-call list")
        typer.echo(f"{checked} may be called again.")

    run(work)


@app.command("list")
def list_() -> None:
    """List the numbers that are never called, and who said so."""

    async def work(opened: Opened) -> None:
        async with db_session(opened.engine) as db:
            found = await list_opt_outs(db, None)
        table = Table("number", "since", "by", "note")
        for each in found:
            since = each.added_at.isoformat(sep=" ", timespec="seconds")
            table.add_row(each.number, since, each.added_by, each.note or "")
        Console().print(table if found else "Nobody is on the do-not-call list.")

    run(work)


def _checked(number: str) -> str:
    try:
        return e164(number)
    except ValueError as error:
        raise ParleyError(str(error)) from None
