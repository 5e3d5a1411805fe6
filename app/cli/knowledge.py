"""`parley knowledge …`: documents that agents look things up in."""

import re
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from app.cli.house import me, run
from app.cli.telling import plain
from app.conf.opening import Opened
from app.db.engine import db_session
from app.db.knowledge import delete_document, document_text, keep_document, list_documents
from app.db.knowledge_search import search as find
from app.errors import DocumentRefused, ParleyError
from app.knowledge.document import COLLECTION, MAX_BYTES, SUFFIXES, read_document

app = typer.Typer(name="knowledge", help="Documents that agents look things up in.", no_args_is_help=True)

Collection = Annotated[str, typer.Argument(help="The collection; agents name those that they look in.")]
Name = Annotated[str, typer.Argument(help="The document's name.")]


@app.command()
def add(
    collection: Collection,
    paths: Annotated[list[Path], typer.Argument(help="Text, Markdown, HTML or CSV; of folders, all that is in them.")],
    language: Annotated[str | None, typer.Option(help="Like de; default: what the document looks like.")] = None,
) -> None:
    """Add documents; one that is there already takes the other's place. Names are those of the files."""
    if not re.match(COLLECTION, collection):
        raise ParleyError("a collection is named with up to 100 letters, digits, spaces and + . _ -")
    files = _named(paths)
    refused: list[str] = []

    async def work(opened: Opened) -> None:
        count = {"added": 0, "replaced": 0, "unchanged": 0}
        for name, file in track(files.items(), "reading", console=Console(stderr=True), transient=True):
            try:
                document = read_document(_bytes(file), name=name, language=language)
            except DocumentRefused as error:
                refused.append(f"{file}: {error}")
                continue
            async with db_session(opened.engine) as db:
                kept = await keep_document(db, collection, name, document, me("knowledge"))
            count["added" if kept.created else "replaced" if kept.changed else "unchanged"] += 1
        typer.echo(f"{collection}: " + ", ".join(f"{number} {what}" for what, number in count.items()))

    run(work)
    for line in refused:
        Console(stderr=True).print(plain(line), style="red", soft_wrap=True)
    if refused:
        raise typer.Exit(1)


@app.command("list")
def list_(collection: Annotated[str | None, typer.Argument(help="Only this one.")] = None) -> None:
    """List the documents."""

    async def work(opened: Opened) -> None:
        async with db_session(opened.engine) as db:
            found = await list_documents(db, collection=collection)
        table = Table("collection", "name", "title", "language", "pieces", "bytes", "since", "by")
        for each in found:
            since = each.updated_at.isoformat(sep=" ", timespec="seconds")
            numbers = (str(each.chunks), str(each.bytes))
            cells = (each.collection, each.name, each.title, each.language or "", *numbers, since, each.updated_by)
            table.add_row(*map(plain, cells))
        Console().print(table if found else "There are no documents.")

    run(work)


@app.command()
def search(
    collection: Collection,
    question: Annotated[list[str], typer.Argument(help="As an agent would ask.")],
    most: Annotated[int, typer.Option(min=1, max=20, help="The most passages.")] = 5,
) -> None:
    """Show what an agent finds when it asks this."""

    async def work(opened: Opened) -> None:
        async with db_session(opened.engine) as db:
            found = await find(db, [collection], " ".join(question), most)
        console = Console()
        for each in found:
            console.print(plain(f"{each.name}: {each.heading} ({each.score:.2f})"), style="bold", soft_wrap=True)
            console.print(plain(f"{each.text}\n"), soft_wrap=True)
        if not found:
            console.print("Nothing was found.")

    run(work)


@app.command()
def show(collection: Collection, name: Name) -> None:
    """Print what was read of a document."""

    async def work(opened: Opened) -> None:
        async with db_session(opened.engine) as db:
            text = await document_text(db, collection, name)
        if text is None:
            raise _missing(collection, name)
        typer.echo(plain(text).plain if sys.stdout.isatty() else text)

    run(work)


@app.command()
def remove(collection: Collection, names: Annotated[list[str], typer.Argument(help="The documents' names.")]) -> None:
    """Delete documents: all of these, or none where one is missing."""

    async def work(opened: Opened) -> None:
        async with db_session(opened.engine) as db:
            for name in names:
                if not await delete_document(db, collection, name, me("knowledge")):
                    raise _missing(collection, name)
        typer.echo(f"{collection}: {len(names)} deleted")

    run(work)


def _named(paths: list[Path]) -> dict[str, Path]:
    """Every file by the name that its document gets. Raises `ParleyError` where two would get the same."""
    named: dict[str, Path] = {}
    for path in paths:
        for file in _files(path):
            name = _name(file.relative_to(path) if path.is_dir() else Path(file.name))
            if named.setdefault(name, file) != file:
                raise ParleyError(f"{named[name]} and {file} would both be called {name}: add them one by one")
    if not named:
        raise ParleyError(f"there is no file to add; those are read that end in {', '.join(SUFFIXES)}")
    return named


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for file in sorted(path.rglob("*")):
        hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
        if file.is_file() and not hidden and file.suffix.lower() in SUFFIXES:
            yield file


def _name(path: Path) -> str:
    """Like `guides_returns.md`: a document's name is one part of an address."""
    return re.sub(r"^\W|[^\w+. (),&'@-]", "_", unicodedata.normalize("NFC", str(path)))[-200:]


def _bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise DocumentRefused("unreadable", error.strerror or str(error)) from None


def _missing(collection: str, name: str) -> ParleyError:
    return ParleyError(f"there is no {name} in {collection}")
