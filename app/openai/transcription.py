"""Recordings to words, for any program: in a running server, or in a script that has only the environment.

from app.openai import transcribe_audio
print((await transcribe_audio(recording_bytes)).text)
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from app.openai.transcriber import Transcriber
from app.openai.types.transcription import TranscriptionRequest, TranscriptionResponse

__all__ = ["Transcriber", "transcribe_audio", "transcribe_audio_with_options", "use"]

RETRIES = 2
"""Somebody waits for the answer: what passes soon is tried again at once."""

_in_use: list[Transcriber] = []
"""What the servers of this process work with, the newest last."""


async def transcribe_audio(recording_bytes: bytes) -> TranscriptionResponse:
    """The words of a sound file, by the default model, with the key from `core_conf`; raises `TranscriptionError`.

    Outside of a server `SettingsError` or `DatabaseError` say that there is no `core_conf` to be read.
    """
    return await transcribe_audio_with_options(TranscriptionRequest(recording_bytes))


async def transcribe_audio_with_options(request: TranscriptionRequest) -> TranscriptionResponse:
    """The words of a sound file as the request wishes, with the key from `core_conf`; raises `TranscriptionError`.

    Outside of a server each call opens the configuration, as the command line does; to write down many files, use
    `app.transcribing.open_transcriber`.
    """
    async with _transcriber() as transcriber:
        return await transcriber.transcribe(request, retries=RETRIES)


@contextmanager
def use(transcriber: Transcriber) -> Iterator[None]:
    """Let the two functions above work with that one, as long as the block goes on."""
    _in_use.append(transcriber)
    try:
        yield
    finally:
        _in_use.remove(transcriber)


@asynccontextmanager
async def _transcriber() -> AsyncIterator[Transcriber]:
    if _in_use:
        yield _in_use[-1]
        return
    # Upwards, and the only such import: a bare script has nobody above it who would wire these functions
    from app.transcribing import open_transcriber

    async with open_transcriber() as opened:
        yield opened
