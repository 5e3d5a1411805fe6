"""`parley conf` as the shell has it: exit code, output, errors."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner

from app.cli.conf import app
from app.db.embedded import EmbeddedPostgres
from app.settings import Settings

KEY = "sk-proj-abcdefghijkl"


@pytest.fixture
def conf(empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for field in Settings.model_fields:
        monkeypatch.delenv(field.upper(), raising=False)
    monkeypatch.setenv("DATABASE_URL", empty_database_url)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, stdin: str | None = None):
        return CliRunner().invoke(app, list(arguments), input=stdin)

    return run


def test_a_row_from_standard_input_is_listed_and_shown_without_its_secret(conf):
    done = conf("set", "openai", "default", "-", stdin=json.dumps({"openai_api_key": KEY}))
    assert (done.exit_code, done.stdout) == (0, "openai/default is now at version 1.\n")

    shown = conf("get", "openai", "default")
    assert json.loads(shown.stdout)["openai_api_key"] == "****ijkl"
    assert "openai" in conf("list").stdout
    assert "openai" not in conf("list", "agent").stdout


def test_standard_input_is_the_default_and_a_file_works_as_well(conf, tmp_path: Path):
    assert conf("set", "agent", "default", stdin='{"voice": "cedar"}').exit_code == 0
    (tmp_path / "agent.json").write_text('{"voice": "marin"}')
    assert "version 3" in conf("set", "agent", "default", "agent.json").stdout


def test_what_cannot_work_yet_is_a_warning(conf):
    done = conf("set", "agent", "default", "-", stdin="{}")
    assert done.exit_code == 0
    assert "openai/default" in done.stderr


def test_a_limit_that_max_calls_makes_pointless_is_a_warning(conf, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MAX_CALLS", "20")
    done = conf("set", "limits", "default", "-", stdin='{"calls": 21}')
    assert done.exit_code == 0
    assert "limits/default: calls: 21 is more than a server takes, which is 20" in " ".join(done.stderr.split())


def test_limits_that_nobody_wrote_are_shown_as_they_take_effect(conf):
    assert json.loads(conf("get", "limits", "default").stdout)["calls_per_caller"] == 3
    assert "limits/other is not set" in conf("get", "limits", "other").stderr


def test_hours_that_close_a_number_all_week_are_a_warning(conf):
    never = {"agent": "default", "hours": {"zone": "Europe/Zurich"}}
    once = {"agent": "default", "hours": {"zone": "Europe/Zurich", "sunday": ["10:00-11:00"]}}
    conf("set", "agent", "default", stdin="{}")
    told = [conf("set", "number", "default", stdin=json.dumps(hours)) for hours in (never, once)]
    assert [done.exit_code for done in told] == [0, 0]
    assert "closed all week" in " ".join(told[0].stderr.split())
    assert "closed all week" not in " ".join(told[1].stderr.split())


def test_an_agent_in_old_words_is_saved_in_todays_and_every_replacement_is_told(conf):
    old = {"modalities": ["text", "audio"], "max_response_output_tokens": 100, "temperature": 0.8, "voice": "onyx"}
    done = conf("set", "agent", "a", stdin=json.dumps(old))
    assert done.exit_code == 0
    for told in ("max_output_tokens today", "no temperature", "replaced by cedar"):
        assert told in done.stderr
    shown = json.loads(conf("get", "agent", "a").stdout)
    assert (shown["max_output_tokens"], shown["voice"]) == (100, "cedar")


def test_an_agent_that_will_not_answer_is_a_warning_and_an_unfit_voice_a_refusal(conf):
    saved = conf("set", "agent", "a", stdin='{"turn_detection": null}')
    assert saved.exit_code == 0
    assert "agent/a: turn_detection: the agent will not answer" in saved.stderr

    refused = conf("set", "agent", "b", stdin='{"voice": "nova"}')
    assert refused.exit_code == 1
    assert "use marin" in refused.stderr


def test_a_file_of_sections_is_imported_in_an_order_that_works(conf, tmp_path: Path):
    rows = {
        "number": {"+15551234567": {"agent": "sales"}},
        "agent": {"sales": {"voice": "cedar"}, "bakery": {"modalities": ["audio"]}},
        "openai": {"default": {"openai_api_key": KEY}},
    }
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    done = conf("import", "rows.json")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "openai/default is now at version 1.",
        "agent/sales is now at version 1.",
        "agent/bakery is now at version 1.",
        "number/+15551234567 is now at version 1.",
    ]


def test_r2_3_r3_8_one_agent_in_an_old_shape_is_imported_with_warnings(conf, tmp_path: Path):
    old = {
        "model": "gpt-4o-realtime-preview",
        "api_key": KEY,
        "config": {"input_audio_format": "pcm16", "modalities": ["text", "audio"], "voice": "alloy"},
    }
    (tmp_path / "old.json").write_text(json.dumps(old))
    done = conf("import", "old.json", "--name", "moved")
    assert done.exit_code == 0
    assert done.stdout == "agent/moved is now at version 1.\n"
    assert "Warning: agent/moved: model: gpt-4o-realtime-preview is gone" in done.stderr
    assert KEY not in done.output
    assert json.loads(conf("get", "agent", "moved").stdout)["model"] == "gpt-realtime-2.1"


def test_a_refused_row_is_named_and_the_others_are_imported(conf, tmp_path: Path):
    rows = {"agent": {"good": {}, "bad": {"voise": "x"}}, "number": {"default": {"agent": "bad"}}}
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    done = conf("import", "rows.json")
    assert done.exit_code == 1
    assert done.stdout == "agent/good is now at version 1.\n"
    for named in ("agent/bad: voise", "number/default: agent: there is no agent/bad"):
        assert named in done.stderr


@pytest.mark.parametrize(
    ("arguments", "stdin", "named"),
    [
        (("set", "agent", "a", "-"), '{"voise": "x"}', "voise"),
        (("set", "agent", "a", "-"), "{broken", "not a JSON object"),
        (("set", "agent", "a", "-"), "[" * 100_000, "not a JSON object"),
        (("set", "number", "default", "-"), '{"agent": "nobody"}', "agent/nobody"),
        (("get", "agent", "nobody"), None, "agent/nobody"),
        (("import", "-"), "[]", "agent/default"),
        (("import", "-"), '{"agent": [1]}', "agent: not an object"),
        (("get", "hologram", "x"), None, "no section 'hologram'"),
        (("list", "hologram"), None, "no section 'hologram'"),
    ],
)
def test_a_refusal_says_why_and_exits_with_1(conf, arguments, stdin, named):
    refused = conf(*arguments, stdin=stdin)
    assert refused.exit_code == 1
    assert named in refused.stderr
    assert refused.stdout == ""


def test_it_works_beside_a_running_server_on_the_same_data_directory(conf, reachable_dir: Path, monkeypatch):
    monkeypatch.delenv("DATABASE_URL")
    data_dir = reachable_dir / "served"
    monkeypatch.setenv("DATA_DIR", str(data_dir))

    async def set_while_running():
        async with EmbeddedPostgres(data_dir, durable=False) as url:
            done = await asyncio.to_thread(conf, "set", "agent", "sales", "-", stdin="{}")
            (await asyncpg.connect(url.replace("+asyncpg", ""))).terminate()  # it still runs
            return done

    assert asyncio.run(set_while_running()).exit_code == 0
    alone = conf("get", "agent", "sales")  # starts and stops the server by itself
    assert alone.exit_code == 0


def test_a_database_that_is_away_is_one_clear_line(conf, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://parley:hunter2@127.0.0.1:1/parley")
    refused = conf("list")
    assert refused.exit_code == 1
    assert "database" in refused.stderr
    assert "hunter2" not in refused.output


def test_what_it_prints_can_be_piped_on_while_warnings_go_elsewhere(conf, monkeypatch: pytest.MonkeyPatch):
    conf("set", "openai", "default", stdin=json.dumps({"openai_api_key": KEY}))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-another-key-than-the-table-has")
    shown = subprocess.run(
        [sys.executable, "-m", "app", "conf", "get", "openai", "default"], capture_output=True, text=True, check=True
    )

    assert json.loads(shown.stdout)["openai_api_key"] == "****ijkl"
    assert "environment_differs" in shown.stderr
    assert "another-key" not in shown.stderr
