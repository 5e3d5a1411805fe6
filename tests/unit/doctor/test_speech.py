"""The doctor's talk with OpenAI, against the sandbox's."""

import io
import wave
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr
from rich.console import Console

from app.conf.models import AgentConf, OpenAICoreConf
from app.doctor import speech
from app.doctor.report import Check
from app.openai.transcode import to_ulaw
from app.sandbox.openai.brain import Reply, Say, ScriptedBrain
from app.sandbox.openai.faults import Faults
from app.sandbox.openai.server import SandboxOpenAI
from app.sandbox.voices.clips import clip
from app.twilio.rest import new_client

ANSWER = Say.phrase("greeting")


@pytest.fixture
async def openai() -> AsyncIterator[SandboxOpenAI]:
    async with SandboxOpenAI(ScriptedBrain([Reply.of(ANSWER)]), speed=20) as openai:
        yield openai


def access(openai: SandboxOpenAI) -> OpenAICoreConf:
    return OpenAICoreConf(openai_api_key=SecretStr(openai.api_key))


async def examined(openai: SandboxOpenAI, agent: AgentConf = AgentConf()) -> tuple[list[Check], bytes, str]:  # noqa: B008 (frozen)
    console = Console(file=io.StringIO(), width=200)
    found, voice = await speech.session(agent, access(openai), openai.realtime_url, console)
    return found, voice, console.file.getvalue()  # type: ignore[attr-defined]


async def test_each_field_is_shown_beside_its_echo_and_the_answer_is_counted(openai):
    found, voice, shown = await examined(openai)
    assert [check.verdict for check in found] == ["ok", "ok"]
    assert voice == clip("greeting")
    assert f"{len(voice)} bytes" in found[1].text
    assert ANSWER.text in found[1].text
    row = next(line for line in shown.splitlines() if "audio.input.turn_detection.silence_duration_ms" in line)
    assert row.count("500") == 2
    assert "changed" not in shown
    await openai.sessions[0].closed.wait()


async def test_a_refused_and_a_changed_field_are_problems_by_name(openai):
    openai.faults.append(Faults(refuse_update="invalid_value", refuse_param="session.audio.output.speed"))
    found, _, _ = await examined(openai, AgentConf(speed=1.2))
    assert (found[0].verdict, found[0].text) == ("problem", "not as asked: audio.output.speed")

    openai.faults.append(Faults(override={"instructions": "Talk quickly."}))
    openai.brain = ScriptedBrain([Reply.of(ANSWER)])
    found, _, shown = await examined(openai)
    assert (found[0].verdict, found[0].text) == ("problem", "not as asked: instructions")
    assert next(line for line in shown.splitlines() if "instructions" in line).count("Talk quickly.") == 1


async def test_a_wrong_key_is_a_problem_that_does_not_print_the_key(openai):
    wrong = OpenAICoreConf(openai_api_key=SecretStr("sk-wrong-and-secret"))
    found, voice = await speech.session(AgentConf(), wrong, openai.realtime_url, Console(file=io.StringIO()))
    assert (found[0].verdict, voice) == ("problem", b"")
    assert "sk-wrong" not in found[0].text
    async with new_client() as client:
        check = await speech.transcription(client, wrong, openai.transcription_url)
    assert (check.verdict, "401" in check.text) == ("problem", True)


async def test_a_session_that_is_lost_before_it_answers_is_a_problem(openai):
    openai.faults.append(Faults(close_after_events=4))
    found, _, _ = await examined(openai)
    assert found[0].verdict == "problem"


async def test_a_bundled_clip_is_transcribed(openai):
    async with new_client() as client:
        check = await speech.transcription(client, access(openai), openai.transcription_url)
        nowhere = await speech.transcription(client, access(openai), f"{openai.base_url}/nothing")
    assert (check.verdict, check.text.count("When do you open on Sunday?")) == ("ok", 2)
    assert nowhere.verdict == "problem"


def test_a_saved_answer_is_a_wav_file_that_holds_every_sample():
    with wave.open(io.BytesIO(speech.wav(clip("greeting")))) as opened:
        assert (opened.getframerate(), opened.getnchannels(), opened.getsampwidth()) == (8000, 1, 2)
        assert to_ulaw(opened.readframes(opened.getnframes())) == clip("greeting")
