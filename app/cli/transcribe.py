"""`parley transcribe FILE`: the words of a sound file, on standard output."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from app.conf.models import RecordingTranscription
from app.errors import ParleyError
from app.openai.constants import DEFAULT_TRANSCRIPTION_MODEL

if TYPE_CHECKING:
    from app.jobs.recordings.files import Written

SHOWN_FROM_S = 60.0
"""Shorter files are done before a bar would help."""


def transcribe(
    file: Annotated[Path, typer.Argument(help="A WAV file of any length, or up to 25 MB of mp3, m4a, ogg, …")],
    *,
    form: Annotated[
        Literal["text", "json", "srt", "vtt"], typer.Option("--format", help="How the words are written.")
    ] = "text",
    model: Annotated[str, typer.Option(help="Which model listens.")] = DEFAULT_TRANSCRIPTION_MODEL,
    language: Annotated[
        list[str] | None, typer.Option(help="What may be spoken, like en; may be given several times.")
    ] = None,
    keyword: Annotated[
        list[str] | None, typer.Option(help="A name or word that may come up; may be given several times.")
    ] = None,
    prompt: Annotated[str | None, typer.Option(help="What it is about.")] = None,
    output: Annotated[Path | None, typer.Option(help="A file to write into, instead of standard output.")] = None,
    caller_channel: Annotated[
        Literal["left", "right"], typer.Option(help="Where a stereo file has the caller; the agent is on the other.")
    ] = "left",
) -> None:
    """Write a recording down. Each channel is a speaker; WAV files are cut where it is quiet, however long they are."""
    from app.recordings.formats import write  # slow to import, and `--help` needs none of it

    asked = _asked(model, language, keyword, prompt)
    try:
        written = asyncio.run(_written(file, asked, caller_channel))
        for warning in written.warnings:
            typer.echo(f"Warning: {warning}", err=True)
        text = write(form, written.segments, written.about)
        if output:
            output.write_text(text, "utf-8")
        else:
            typer.echo(text, nl=False)
    except (ParleyError, OSError) as error:
        typer.echo(f"parley: {error}", err=True)
        raise typer.Exit(1) from None


def _asked(
    model: str, languages: list[str] | None, keywords: list[str] | None, prompt: str | None
) -> RecordingTranscription:
    try:
        return RecordingTranscription(model=model, languages=languages or [], keywords=keywords or [], prompt=prompt)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        option = f"--{str(problem['loc'][0]).removesuffix('s')}"
        raise typer.BadParameter(problem["msg"], param_hint=option) from None


async def _written(path: Path, asked: RecordingTranscription, caller_channel: str) -> "Written":
    """Looks at the file before anything is opened for it."""
    from app.jobs.recordings.files import look, write_file
    from app.transcribing import open_transcriber

    file = await asyncio.to_thread(look, path, model=asked.model, caller_channel=caller_channel)
    async with open_transcriber() as transcriber:
        with _progress(file.seconds or 0) as progress:
            bar = progress.add_task(path.name, total=file.seconds)
            return await write_file(transcriber, file, asked, heard=lambda seconds: progress.advance(bar, seconds))


def _progress(seconds: float) -> Progress:
    """On standard error, so that the words can be piped on; only where a person looks at it."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.completed:.0f} of {task.total:.0f} s"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=seconds < SHOWN_FROM_S or not console.is_terminal,
    )
