"""A session opened for real, one spoken answer, one transcription."""

import asyncio
import io
import re
import wave
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.audio import BYTES_PER_MS, from_base64, ms_of
from app.conf.models import AgentConf, OpenAICoreConf
from app.doctor.report import Check
from app.errors import ConfError, SessionError
from app.openai import OpenAIRealtimeSessionReceiver, OpenAIRealtimeSessionSender, connect
from app.openai.constants import DEFAULT_TRANSCRIPTION_MODEL
from app.openai.opening import open_link
from app.openai.session_check import Field, compare
from app.openai.session_config import compile_session
from app.openai.transcode import from_ulaw
from app.realtime.events import AgentTranscript, AudioDelta, ResponseDone, SessionDegraded
from app.sandbox.voices.clips import clip, text_of
from app.timing import Deadlines

ANSWER_S = 30.0
"""One spoken answer, and one transcription, must have come within this."""
SHOWN_CHARACTERS = 60
CLIP = "opening_hours"


@dataclass(slots=True)
class Answer:
    """What came back of one `response.create`."""

    ulaw: bytes = b""
    words: str = ""
    status: str = "no end"
    degraded: tuple[str, ...] = ()


async def session(
    agent: AgentConf, core_conf: OpenAICoreConf, base_url: str, console: Console
) -> tuple[list[Check], bytes]:
    """Open the agent's session, print each field asked for beside its echo, let it speak once; with its µ-law."""
    try:
        config = compile_session(agent)
        link = await open_link(config, core_conf, base_url=base_url, deadlines=Deadlines())
        sender, receiver = OpenAIRealtimeSessionSender(link), OpenAIRealtimeSessionReceiver(link)
        try:
            answer = await _answer(agent, sender, receiver)
        finally:
            await sender.close()
    except (ConfError, SessionError) as error:
        return [Check("session", "problem", str(error))], b""
    fields = compare(config.wire(), link.granted)
    show_fields(console, fields)
    return [_granted(fields, answer), _spoken(answer)], answer.ulaw


async def transcription(client: httpx.AsyncClient, core_conf: OpenAICoreConf, url: str) -> Check:
    """Let a bundled clip be written down."""
    what, asked = "transcription", text_of(CLIP)
    file = {"file": ("clip.wav", wav(clip(CLIP)), "audio/wav")}
    try:
        async with asyncio.timeout(ANSWER_S):
            response = await client.post(
                url, headers=connect.headers(core_conf), data={"model": DEFAULT_TRANSCRIPTION_MODEL}, files=file
            )
        heard = msgspec.json.decode(response.content, type=_Transcript).text if response.is_success else None
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, SessionError) as error:
        return Check(what, "problem", f"{url}: {error or 'no answer in time'}")
    except msgspec.DecodeError:
        heard = None
    if heard is None:
        return Check(what, "problem", f"{url} answered with HTTP {response.status_code}")
    alike = bool(_words(heard) & _words(asked))
    return Check(what, "ok" if alike else "problem", f"said: {asked}\nread: {heard or '(nothing)'}")


def wav(ulaw: bytes) -> bytes:
    """That audio as a WAV file of 16-bit samples, which everything can play."""
    file = io.BytesIO()
    with wave.open(file, "wb") as opened:
        opened.setnchannels(1)
        opened.setsampwidth(2)
        opened.setframerate(BYTES_PER_MS * 1000)
        opened.writeframes(from_ulaw(ulaw))
    return file.getvalue()


def show_fields(console: Console, fields: list[Field]) -> None:
    """Each field that was asked for beside its echo."""
    table = Table("field", "asked", "echo", "")
    for field in fields:
        colour = {"granted": "green", "changed": "red", "untold": "yellow"}[field.state]
        table.add_row(
            escape(field.name), escape(_short(field.asked)), escape(_short(field.got)), f"[{colour}]{field.state}[/]"
        )
    console.print(table)


async def _answer(
    agent: AgentConf, sender: OpenAIRealtimeSessionSender, receiver: OpenAIRealtimeSessionReceiver
) -> Answer:
    answer = Answer()
    if agent.greeting:
        await sender.say(agent.greeting)
    else:
        await sender.start_response()
    try:
        async with asyncio.timeout(ANSWER_S):
            async for event in receiver:
                match event:
                    case SessionDegraded(fields):
                        answer.degraded = fields
                    case AudioDelta(audio):
                        answer.ulaw += from_base64(audio)
                    case AgentTranscript(text, final=True):
                        answer.words = text
                    case ResponseDone(status=status, reason=reason):
                        answer.status = f"{status} ({reason})" if reason else status
                        break
    except TimeoutError:
        answer.status = f"not done within {ANSWER_S:.0f} s"
    return answer


def _granted(fields: list[Field], answer: Answer) -> Check:
    changed = [field.name for field in fields if field.state == "changed"]
    different = list(dict.fromkeys([*changed, *answer.degraded]))
    if different:
        return Check("session", "problem", f"not as asked: {', '.join(different)}")
    return Check("session", "ok", f"{len(fields)} fields asked for, none refused or changed")


def _spoken(answer: Answer) -> Check:
    text = f"{len(answer.ulaw)} bytes, {ms_of(len(answer.ulaw)) / 1000:.1f} s: {answer.words or '(no words)'}"
    if answer.status != "completed":
        return Check("answer", "problem", f"{answer.status}; {text}")
    return Check("answer", "ok" if answer.ulaw else "problem", text)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


class _Transcript(msgspec.Struct):
    text: str
