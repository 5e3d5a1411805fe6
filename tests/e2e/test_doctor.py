"""`parley doctor` as an operator runs it: on a real database, between the sandbox's Twilio and OpenAI."""

import io

import pytest
from rich.console import Console
from typer.testing import CliRunner

from app.cli import app as parley
from app.doctor.examine import Live, examine
from app.sandbox.openai.brain import Reply, Say, ScriptedBrain
from app.settings import Settings
from tests.e2e.rig import CALLED

HERE = "https://calls.example.com"
GREETING = Reply.of(Say.phrase("greeting"))


@pytest.fixture
async def house(rig):
    return await rig(ScriptedBrain([GREETING]), agent={})


def settings(house, **more):
    given = {
        "database_url": house.engine.url.render_as_string(hide_password=False),
        "data_dir": house.data_dir,
        "public_url": house.url,
        "openai_realtime_base_url": house.openai.realtime_url,
        "twilio_api_base_url": house.twilio.api_base_url,
    }
    return Settings.load(_env_file=None, **(given | more))


async def found(house, live=None, **more):
    checks = await examine(settings(house, **more), Console(file=io.StringIO()), live)
    return {check.what: check for check in checks}


async def test_a_house_that_can_answer_has_no_problem(house):
    checks = await found(house, public_url=HERE)
    assert {check.verdict for check in checks.values()} == {"ok"}
    assert {"PUBLIC_URL", "database", "key ring", "twilio", "numbers", "agent/default"} <= checks.keys()


async def test_what_keeps_calls_from_being_answered_is_a_problem(house):
    await house.put("agent", "broke", {"account": "nobody"})
    await house.put("agent", "old", {"model": "gpt-realtime"})
    checks = await found(house, public_url=None)
    assert checks["PUBLIC_URL"].verdict == "problem"
    assert "agent/broke uses openai/nobody" in checks["accounts"].text
    assert checks["agent/old"].verdict == "warning"

    other_key = await found(house, secret_key="k" * 40)
    assert other_key["openai/default"].verdict == other_key["twilio/default"].verdict == "problem"
    assert "SECRET_KEY" in other_key["openai/default"].text


async def test_live_the_other_ends_are_asked_too(house, tmp_path):
    house.twilio.own(CALLED)
    await house.put("number", CALLED, {"agent": "default"})
    live = Live(transcription_url=house.openai.transcription_url, save=tmp_path / "answer.wav")
    checks = await found(house, live)
    assert {what: check.verdict for what, check in checks.items() if what != "PUBLIC_URL"} == dict.fromkeys(
        checks.keys() - {"PUBLIC_URL"}, "ok"
    )
    assert {"session", "answer", "transcription", CALLED} <= checks.keys()
    assert (tmp_path / "answer.wav").stat().st_size > 40_000


async def test_live_a_number_that_sends_its_calls_elsewhere_is_a_problem(house):
    house.twilio.own(CALLED, voice_url="https://demo.example.org/voice")
    await house.put("number", CALLED, {"agent": "default"})
    checks = await found(house, Live(transcription_url=house.openai.transcription_url))
    assert checks[CALLED].verdict == "problem"

    house.twilio.fail_rest(500)
    house.openai.brain = ScriptedBrain([GREETING])
    checks = await found(house, Live(transcription_url=house.openai.transcription_url))
    assert checks["webhooks"].verdict == "problem"


def test_the_command_says_the_cost_and_asks_before_it_spends_anything():
    result = CliRunner().invoke(parley, ["doctor", "--live"])
    assert result.exit_code == 1
    assert "USD" in result.output
    assert "--yes" in result.output


def test_the_command_s_status_is_1_on_a_problem(database_url, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, value in {"DATABASE_URL": database_url, "DATA_DIR": str(tmp_path), "PUBLIC_URL": ""}.items():
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(parley, ["doctor"])
    assert result.exit_code == 1
    assert "PUBLIC_URL" in result.output
