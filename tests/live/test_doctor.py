"""What `parley doctor --live` does, against the real API."""

import os

import pytest
from pydantic import SecretStr
from rich.console import Console

from app.conf.models import AgentConf, EndCallTool, OpenAICoreConf
from app.doctor import speech
from app.openai import OPENAI_REALTIME_BASE_URL, OPENAI_TRANSCRIPTION_URL
from app.twilio.rest import new_client

pytestmark = pytest.mark.live


@pytest.fixture
def access() -> OpenAICoreConf:
    return OpenAICoreConf(openai_api_key=SecretStr(os.environ["OPENAI_API_KEY"]))


async def test_a_session_is_granted_as_asked_and_speaks(access: OpenAICoreConf) -> None:
    agent = AgentConf(tools=[EndCallTool(type="end_call")], greeting="Hello, this is a test.")
    found, voice = await speech.session(agent, access, OPENAI_REALTIME_BASE_URL, Console())
    assert [(check.what, check.verdict) for check in found] == [("session", "ok"), ("answer", "ok")], found
    assert len(voice) > 4000


async def test_a_clip_is_transcribed(access: OpenAICoreConf) -> None:
    async with new_client() as client:
        check = await speech.transcription(client, access, OPENAI_TRANSCRIPTION_URL)
    assert check.verdict == "ok", check
