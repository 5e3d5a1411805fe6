"""`parley doctor`: the command."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app.conf.models import DEFAULT
from app.doctor.report import show
from app.settings import Settings

COST = (
    "This opens one realtime session with OpenAI, takes one spoken answer and transcribes three seconds: "
    "usually less than 0.05 USD."
)


def doctor(
    live: Annotated[bool, typer.Option("--live", help="Also talk to OpenAI and Twilio; costs a few cents.")] = False,
    agent: Annotated[str, typer.Option(help="With --live: whose session is opened.")] = DEFAULT,
    yes: Annotated[bool, typer.Option("--yes", help="With --live: agree to the cost.")] = False,
    save: Annotated[Path | None, typer.Option(help="With --live: keep the spoken answer in this WAV file.")] = None,
    transcription_url: Annotated[
        str | None, typer.Option(envvar="OPENAI_TRANSCRIPTION_URL", help="With --live: where a clip is transcribed.")
    ] = None,
) -> None:
    """Check whether calls can be answered; exit status 1 on a problem."""
    from app.doctor.examine import Live, examine
    from app.openai.constants import OPENAI_TRANSCRIPTION_URL

    console = Console()
    if live:
        _agree(console, yes=yes)
    tried = Live(agent, transcription_url or OPENAI_TRANSCRIPTION_URL, save) if live else None
    found = asyncio.run(examine(Settings.load(), console, tried))
    show(console, found)
    if any(check.verdict == "problem" for check in found):
        raise typer.Exit(1)


def _agree(console: Console, *, yes: bool) -> None:
    console.print(COST, highlight=False)
    if yes:
        return
    if not sys.stdin.isatty():
        console.print("Add --yes to agree to the cost.")
        raise typer.Exit(1)
    typer.confirm("Go on?", abort=True)
