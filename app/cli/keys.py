"""`parley keys …`: the keys of the API, and the key that encrypts what is stored."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from app.cli.house import me, refusal, run
from app.conf.opening import Opened
from app.conf.rotation import rotate
from app.db import api_keys
from app.db.api_keys import SCOPES
from app.db.engine import db_session
from app.errors import ParleyError, SecretsError

LISTED = 1000

app = typer.Typer(name="keys", help="Manage the keys of the API, and the key ring.", no_args_is_help=True)


@app.command("list")
def list_() -> None:
    """List the keys of the API, the newest first. What they are, nobody knows: only their hashes are kept."""

    async def work(opened: Opened) -> None:
        async with db_session(opened.engine) as db:
            found = await api_keys.keys(db, LISTED)
        table = Table("id", "name", "scopes", "made", "last used", "state")
        for key in found:
            state = "revoked" if key.revoked_at else _expiry(key.expires_at)
            table.add_row(
                str(key.id), key.name, " ".join(key.scopes), _moment(key.created_at), _moment(key.last_used_at), state
            )
        Console().print(table)

    _run(work)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Who or what will use it.")],
    scope: Annotated[list[str], typer.Option(help=f"What it may do, once or more: {', '.join(SCOPES)}.")],
    days: Annotated[int | None, typer.Option(min=1, max=36_500, help="Until when; without it, for ever.")] = None,
) -> None:
    """Make a key of the API, and print it, this once."""
    if unknown := sorted(set(scope) - set(SCOPES)):
        raise refusal(f"no scope {', '.join(unknown)}; there are: {', '.join(SCOPES)}")
    if not (name.isprintable() and 1 <= len(name) <= api_keys.NAME_CHARACTERS):
        raise refusal(f"a key's name has 1 to {api_keys.NAME_CHARACTERS} printable characters")
    expires_at = datetime.now(UTC) + timedelta(days=days) if days else None

    async def work(opened: Opened) -> None:
        async with db_session(opened.engine) as db:
            _, key = await api_keys.add_key(db, name, scope, who=me("keys"), expires_at=expires_at)
        typer.echo(key)

    _run(work)


@app.command()
def revoke(key_id: Annotated[UUID, typer.Argument(metavar="ID", help="As `parley keys list` shows it.")]) -> None:
    """Refuse a key of the API from now on, everywhere."""

    async def work(opened: Opened) -> None:
        async with db_session(opened.engine) as db:
            found = await api_keys.revoke(db, key_id, who=me("keys"))
        if not found:
            raise refusal(f"there is no key {key_id}")
        typer.echo("Revoked.")

    _run(work)


@app.command("rotate")
def rotate_(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
) -> None:
    """Encrypt everything stored with the first key of SECRET_KEY, its history too.

    Give every server the new key first: SECRET_KEY=new,old. When this is done, the old one can go.
    """

    async def work(opened: Opened) -> None:
        from app.known import known

        console = Console(highlight=False, markup=False)
        changed, stuck = 0, []
        async for row in rotate(opened.engine, opened.key_ring, known(), me("keys"), dry_run=dry_run):
            changed += row.changed
            if row.trouble:
                stuck.append(row.trouble)
            if row.changed or row.trouble:
                console.print(f"{row.row}: {row.trouble or ('would be' if dry_run else 'is') + ' encrypted again'}")
        if not dry_run:
            await opened.store.refresh()
        console.print(f"{changed} {'would be ' if dry_run else ''}encrypted again, {len(stuck)} cannot be read.")
        if stuck:
            raise SecretsError("keep the old keys in SECRET_KEY: not everything could be encrypted again")

    _run(work)


def _run(work: Callable[[Opened], Awaitable[None]]) -> None:
    from app.known import known  # slow to import, and `--help` needs none of it

    try:
        run(work, known())
    except ParleyError as error:
        raise refusal(str(error)) from None


def _expiry(moment: datetime | None) -> str:
    if moment is None:
        return "valid"
    return f"valid until {_moment(moment)}" if moment > datetime.now(UTC) else "expired"


def _moment(moment: datetime | None) -> str:
    return moment.isoformat(sep=" ", timespec="seconds") if moment else "never"
