"""`parley conf` as the shell has it: exit code, output, errors."""

import asyncio
import json
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner

from app.cli_conf import app
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


@pytest.mark.parametrize(
    ("arguments", "stdin", "named"),
    [
        (("set", "agent", "a", "-"), '{"voise": "x"}', "voise"),
        (("set", "agent", "a", "-"), "{broken", "not a JSON object"),
        (("set", "agent", "a", "-"), "[" * 100_000, "not a JSON object"),
        (("set", "number", "default", "-"), '{"agent": "nobody"}', "agent/nobody"),
        (("get", "agent", "nobody"), None, "agent/nobody"),
        (("get", "hologram", "x"), None, "hologram/x"),
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
