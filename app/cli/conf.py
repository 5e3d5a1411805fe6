"""`parley conf …`: what an operator sets, from the shell."""

import asyncio
import getpass
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Annotated, TextIO

import typer
from rich.console import Console
from rich.table import Table

from app.cli.house import refusal
from app.conf.models import DEFAULT, SECTIONS
from app.conf.opening import open_store
from app.conf.records import unwritten
from app.conf.store import ConfStore
from app.errors import ConfError, ParleyError
from app.settings import Settings

app = typer.Typer(name="conf", help="Read and write the configuration table core_conf.", no_args_is_help=True)

Section = Annotated[str, typer.Argument(help=f"One of: {', '.join(SECTIONS)}.")]
Name = Annotated[str, typer.Argument(help="The row's name, like default; for a number, the number: +15551234567.")]
Source = Annotated[
    typer.FileText, typer.Argument(help="A file with a JSON object, or - for standard input.", show_default=False)
]


@app.command()
def get(section: Section, name: Name) -> None:
    """Print one row as JSON; secrets show their last four characters."""

    _must_exist(section)

    async def work(store: ConfStore) -> None:
        rows = {row.name: row for row in [*unwritten(section), *store.rows(section)]}
        if name not in rows:
            store.get(section, name)  # says how to set it
        Console().print_json(data=rows[name].value)

    _run(work)


@app.command("set")
def set_(section: Section, name: Name, source: Source = "-") -> None:  # type: ignore[assignment]  # click opens it
    """Write one row from a JSON object. A secret that is left out stays as it is."""
    value = _read(source)

    async def work(store: ConfStore) -> None:
        await _write(store, section, name, value)
        _warn(store.warnings())

    _run(work)


@app.command("import")
def import_(
    source: Source,
    name: Annotated[str, typer.Option(help="The agent's name, where the file is one agent.")] = DEFAULT,
) -> None:
    """Write every row of a file: sections, in each its names, in each the row. Or one agent, in words old or new.

    A row that is refused is named, and does not keep the others from being written.
    """
    rows = list(_rows(_read(source), name))

    async def work(store: ConfStore) -> None:
        refused = []
        for row in rows:
            try:
                await _write(store, *row)
            except ConfError as error:
                refused.append(str(error))
        _warn(store.warnings())
        if refused:
            raise ConfError("\n".join(refused))

    _run(work)


@app.command("list")
def list_(section: Annotated[str | None, typer.Argument(help="Only this section.")] = None) -> None:
    """List the rows, or those of one section."""

    if section is not None:
        _must_exist(section)

    async def work(store: ConfStore) -> None:
        table = Table("section", "name", "version", "updated", "by")
        for row in store.rows(section):
            updated = row.updated_at.isoformat(sep=" ", timespec="seconds") if row.updated_at else ""
            table.add_row(row.section, row.name, str(row.version), updated, row.updated_by)
        Console().print(table)

    _run(work)


def _rows(content: object, name: str) -> Iterator[tuple[str, str, object]]:
    """Section, name and value of each row, in an order in which none needs a later one."""
    if not isinstance(content, dict) or not content.keys() <= SECTIONS.keys():
        yield "agent", name, content
        return
    for section in SECTIONS:
        rows = content.get(section, {})
        if not isinstance(rows, dict):
            raise refusal(f"{section}: not an object of names and their rows")
        for row_name, value in rows.items():
            yield section, row_name, value


async def _write(store: ConfStore, section: str, name: str, value: object) -> None:
    written = await store.put(section, name, value, by=f"{getpass.getuser()} (parley conf)")
    Console().print(f"{section}/{name} is now at version {written.version}.", highlight=False)
    _warn(written.warnings)


def _warn(warnings: list[str]) -> None:
    for warning in warnings:
        Console(stderr=True).print(f"Warning: {warning}", highlight=False, markup=False, soft_wrap=True)


def _read(source: TextIO) -> object:
    try:
        return json.load(source)
    except (ValueError, RecursionError) as error:
        # the error's own text has no excerpt of what may be a secret
        raise refusal(f"not a JSON object: {error}") from None


def _run(work: Callable[[ConfStore], Awaitable[None]]) -> None:
    from app.known import known  # slow to import, and `--help` needs none of it
    from app.tools.python.load import load_functions

    async def opened() -> None:
        settings = Settings.load()
        functions = load_functions(settings.tools_folder)
        async with open_store(settings, known(functions, settings.max_calls), strict=False) as parts:
            await work(parts.store)

    try:
        asyncio.run(opened())
    except ParleyError as error:
        raise refusal(str(error)) from None


def _must_exist(section: str) -> None:
    if section not in SECTIONS:
        raise refusal(f"no section {section!r}; there are: {', '.join(SECTIONS)}")
