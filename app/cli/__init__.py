"""parley …: the commands, thin."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from app import logs
from app.cli import calls, conf, jobs, keys, knowledge, optout, webhooks
from app.cli.backup import backup, restore
from app.cli.transcribe import transcribe
from app.cli.worker import worker
from app.doctor.command import doctor
from app.errors import ParleyError
from app.settings import Settings

app = typer.Typer(
    name="parley", help="A phone number that answers with an AI agent.", no_args_is_help=True, add_completion=False
)
app.add_typer(conf.app)
app.add_typer(calls.app)
app.add_typer(keys.app)
app.add_typer(jobs.app)
app.add_typer(webhooks.app)
app.add_typer(optout.app)
app.add_typer(knowledge.app)
app.command()(doctor)
app.command()(worker)
app.command()(transcribe)
app.command()(backup)
app.command()(restore)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Where to listen; default: HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Where to listen; default: PORT.")] = None,
) -> None:
    """Answer calls until stopped. The first signal drains: live calls finish, new ones are turned away."""
    from app.main import AnsweredCalls, create_app
    from app.web.server import ParleyServer, server_config

    settings = Settings.load(**{name: value for name, value in (("host", host), ("port", port)) if value is not None})
    served = create_app(settings)
    calls: AnsweredCalls = served.state.answered_calls
    config = server_config(served, host=settings.host, port=settings.port, max_calls=settings.max_calls)
    server = ParleyServer(config, calls=calls, drain_s=settings.drain_seconds, on_limit=calls.say_goodbye)
    server.run()
    if not server.started:
        raise typer.Exit(1)


@app.command()
def migrate() -> None:
    """Bring the database's tables up to date, and fill what a fresh install needs."""
    from app.conf.opening import open_store

    async def work() -> None:
        async with open_store(Settings.load()):
            pass

    asyncio.run(work())
    typer.echo("The database is up to date.")


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Where the rehearsal keeps its database, call and log.")] = Path(
        "data/demo"
    ),
) -> None:
    """Rehearse one whole call, told turn by turn; needs no account. Exit status 1 if any of it did not happen."""
    from rich.console import Console

    from app.sandbox.demo import demo as rehearse

    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if not asyncio.run(rehearse(folder, Console())):
        raise typer.Exit(1)


@app.command()
def sandbox() -> None:
    """Stand in for Twilio and OpenAI beside a running server; Enter rings it. Listens where the settings point."""
    from rich.console import Console

    from app.sandbox.beside import stand_by

    asyncio.run(stand_by(Settings.load(), Console()))


@app.command()
def call() -> None:
    """Rehearse one call through a running server that is set to use the sandbox; exit status 1 if it fails."""
    from rich.console import Console

    from app.sandbox.beside import call_once

    if not asyncio.run(call_once(Settings.load(), Console())):
        raise typer.Exit(1)


def main() -> None:
    """The command line's entry; errors of ours are one clear message and exit status 1."""
    logs.configure(level="warning")  # on standard error, so that what a command prints can be piped on
    try:
        app()
    except ParleyError as error:
        typer.echo(f"parley: {error}", err=True)
        sys.exit(1)
