"""A transcriber, and the sandbox's API that it talks to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date

import httpx
from pydantic import SecretStr

from app.conf.models import OpenAICoreConf
from app.openai import Transcriber, TranscriptionRequest
from app.openai.connect import tls
from app.sandbox.openai.brain import ScriptedBrain
from app.sandbox.openai.server import SandboxOpenAI
from app.sandbox.voices.clips import clip, text_of
from tests.unit.openai import sound_files as files

KEY = "sk-proj-a-secret-key-of-ours"
GAP = b"\xff" * 8000
CALL = files.wav(clip("greeting") + GAP + clip("table_tonight"))
WORDS = f"{text_of('greeting')} {text_of('table_tonight')}"
DIARIZER = "gpt-4o-transcribe-diarize"
DAY = date(2026, 11, 1)


def conf(key=KEY, **more):
    return OpenAICoreConf(openai_api_key=SecretStr(key), **more)


class House:
    """A sandbox, and a transcriber that talks to it."""

    def __init__(self, sandbox: SandboxOpenAI, http: httpx.AsyncClient) -> None:
        self.sandbox = sandbox
        self.desk = sandbox.transcriptions
        self.pauses: list[float] = []
        self.transcriber = Transcriber(
            http, lambda: conf(sandbox.api_key), sandbox.transcription_url, pause=self._pause, today=lambda: DAY
        )

    async def ask(self, data=CALL, *, retries=0, on_text=None, **fields):
        return await self.transcriber.transcribe(TranscriptionRequest(data, **fields), retries=retries, on_text=on_text)

    async def _pause(self, pause_s: float) -> None:
        self.pauses.append(pause_s)


@asynccontextmanager
async def house() -> AsyncIterator[House]:
    async with SandboxOpenAI(ScriptedBrain([])) as sandbox, httpx.AsyncClient(trust_env=False, verify=tls()) as http:
        yield House(sandbox, http)
