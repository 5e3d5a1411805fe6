"""`parley backup` and `parley restore`."""

import asyncio
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console

from app.cli.house import refusal
from app.errors import ParleyError
from app.settings import Settings

if TYPE_CHECKING:
    from app.backup.make import Made, Tell
    from app.backup.restore import Restored

LOUD = "bold yellow"

T = TypeVar("T")


def backup(
    file: Annotated[Path, typer.Argument(help="Where to write it; a tar. It must not be there yet.")],
    no_recordings: Annotated[
        bool, typer.Option("--no-recordings", help="Leave out the storage's files, where they are kept safe otherwise.")
    ] = False,
) -> None:
    """Write everything into one file: database, recordings, calls on their way, key ring. The server may go on.

    Without the key ring, core_conf cannot be read. It is in the file where DATA_DIR keeps it, and not where it comes
    from the environment as SECRET_KEY.
    """
    from app.backup.make import make_backup
    from app.backup.place import open_place

    async def work() -> "Made":
        async with open_place(Settings.load()) as place:
            with _progress() as tell:
                return await make_backup(place, file, with_recordings=not no_recordings, tell=tell)

    made = _run(work())
    _loudly(about_made(made))
    rows = sum(table.rows for table in made.manifest.tables)
    typer.echo(f"{file}: {rows} rows, {made.recordings} recordings, {made.calls} calls, {made.bytes} bytes")


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `parley backup` has written.", exists=True, dir_okay=False)],
    replace: Annotated[
        bool, typer.Option("--replace", help="Delete what the database has; it asks before it does.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --replace: agree to it.")] = False,
    without_key: Annotated[
        bool, typer.Option("--without-key", help="Restore although secrets cannot be read; enter them again then.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Only see whether the file is whole.")] = False,
) -> None:
    """Put a backup back, into the database, storage and DATA_DIR of this environment. Stop every Parley first.

    All of the database is restored, or nothing.
    """
    from app.backup.archive import ArchiveReader
    from app.backup.place import open_place
    from app.backup.restore import Wanted, check_backup, restore_backup
    from app.known import known

    if replace and not check:
        _agree(yes=yes)

    async def work() -> "Restored | None":
        with await asyncio.to_thread(ArchiveReader, file) as archive, _progress() as tell:
            if check:
                await check_backup(archive, tell)
                return None
            async with open_place(Settings.load()) as place:
                return await restore_backup(place, archive, known(), Wanted(replace, without_key), tell)

    restored = _run(work())
    if restored is None:
        typer.echo(f"{file} is whole.")
        return
    _loudly(about_restored(restored))
    typer.echo(f"{restored.rows} rows, {restored.recordings} recordings, {restored.calls} calls are back.")


def about_made(made: "Made") -> list[str]:
    """What the one who keeps the file must know."""
    from app.backup.words import about_keys

    missing = made.manifest.missing
    lines = [f"{len(missing)} recordings are missing in the storage, {missing[0]} first"] if missing else []
    return [*lines, about_keys(made.manifest)]


def about_restored(restored: "Restored") -> list[str]:
    """What the one who starts the house must know."""
    lines = [f"cannot be read: {line}" for line in restored.unreadable]
    if lines:
        lines.append("Enter these again (parley conf set, or the API) before calls can be answered.")
    if restored.ended:
        lines.append(f"{restored.ended} calls went on when the backup was made; they are ended as server_crash.")
    if restored.old_key_file:
        lines.append(f"The key ring that was here is kept as {restored.old_key_file}.")
    return lines


def _agree(*, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise refusal("--replace deletes what the database has: add --yes to agree to it")
    typer.confirm("Delete everything that the database has, and restore the backup in its place?", abort=True, err=True)


@contextmanager
def _progress() -> "Iterator[Tell]":
    """How far it got, on standard error."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True)) as progress:
        tasks: dict[str, TaskID] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=total)
            progress.update(tasks[what], completed=done)

        yield tell


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except ParleyError as error:
        raise refusal(str(error)) from None


def _loudly(lines: list[str]) -> None:
    for line in lines:
        Console(stderr=True).print(line, style=LOUD, highlight=False, markup=False, soft_wrap=True)
