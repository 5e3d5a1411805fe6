"""`parley keys` as the shell has it."""

import asyncio
import json
import re
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner

from app.cli import conf as conf_command
from app.cli import keys as keys_command
from app.settings import Settings

KEY, AGAIN = "sk-proj-abcdefghijkl", "sk-proj-mnopqrstuvwx"
OLD, NEW, LOST = "o" * 32, "n" * 32, "l" * 32


@pytest.fixture
def parley(empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for field in Settings.model_fields:
        monkeypatch.delenv(field.upper(), raising=False)
    monkeypatch.setenv("DATABASE_URL", empty_database_url)
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.chdir(tmp_path)

    def run(command: str, *arguments: str, stdin: object = None, secret_key: str = OLD):
        monkeypatch.setenv("SECRET_KEY", secret_key)
        app = {"conf": conf_command.app, "keys": keys_command.app}[command]
        return CliRunner().invoke(app, list(arguments), input=json.dumps(stdin))

    return run


@pytest.fixture
def stored(empty_database_url: str):
    """Every secret that the database keeps, and in which row."""

    async def read() -> list[str]:
        connection = await asyncpg.connect(empty_database_url.replace("+asyncpg", ""))
        try:
            rows = await connection.fetch(
                "select value::text from core_conf union all select value::text from core_conf_history"
            )
        finally:
            await connection.close()
        return [key for row in rows for key in re.findall(r"v1:([0-9a-f]{8}):", row["value"] or "")]

    return lambda: asyncio.run(read())


def test_a_key_is_printed_once_listed_without_itself_and_revoked(parley):
    made = parley("keys", "add", "dashboard", "--scope", "read", "--scope", "calls", "--days", "30")
    assert made.exit_code == 0, made.output
    key = made.stdout.strip()
    assert key.startswith("parley_")

    listed = parley("keys", "list").stdout
    assert key not in listed
    [line] = [line for line in listed.splitlines() if "dashboard" in line]
    assert "calls read" in line
    assert "valid until" in line
    key_id = re.search(r"[0-9a-f-]{36}", line).group()

    admin = parley("keys", "add", "me", "--scope", "admin")
    assert admin.exit_code == 0
    assert parley("keys", "revoke", key_id).stdout == "Revoked.\n"
    assert "revoked" in parley("keys", "list").stdout


def test_the_last_admin_key_is_not_revoked(parley):
    parley("keys", "add", "me", "--scope", "admin")
    key_id = re.search(r"[0-9a-f-]{36}", parley("keys", "list").stdout).group()
    refused = parley("keys", "revoke", key_id)
    assert refused.exit_code == 1
    assert "last valid key" in refused.stderr


@pytest.mark.parametrize(
    "arguments",
    [("add", "x", "--scope", "root"), ("add", "", "--scope", "read"), ("add", "a\nb", "--scope", "read"),
     ("revoke", "00000000-0000-7000-8000-000000000000"), ("add", "x", "--scope", "read", "--days", "0"), ("add", "x")],
)  # fmt: skip
def test_what_makes_no_key_is_refused(parley, arguments):
    assert parley("keys", *arguments).exit_code in {1, 2}
    assert "x" not in parley("keys", "list").stdout.replace("expires", "")


def test_everything_is_encrypted_again_with_the_first_key_and_the_old_one_can_go(parley, stored):
    parley("conf", "set", "openai", "default", stdin={"openai_api_key": KEY})
    parley("conf", "set", "openai", "default", stdin={"openai_api_key": AGAIN})
    parley("conf", "set", "agent", "a", stdin={"instructions": "v1:00000000:bm90IGEgc2VjcmV0"})
    before = stored()
    assert len(set(before)) == 2  # the old key's id, and the text of an agent that only looks like one

    tried = parley("keys", "rotate", "--dry-run", secret_key=f"{NEW},{OLD}")
    assert stored() == before
    assert "3 would be encrypted again" in tried.stdout

    done = parley("keys", "rotate", secret_key=f"{NEW},{OLD}")
    assert done.exit_code == 0, done.output
    assert "openai/default: is encrypted again" in done.stdout
    assert "openai/default v1: is encrypted again" in done.stdout
    after = stored()
    assert len(after) == len(before)
    assert not set(before) - {"00000000"} & set(after)

    shown = parley("conf", "get", "openai", "default", secret_key=NEW)
    assert json.loads(shown.stdout)["openai_api_key"] == "****uvwx"
    assert "0 encrypted again" in parley("keys", "rotate", secret_key=NEW).stdout


def test_what_no_key_opens_is_named_and_the_rest_is_done(parley, stored):
    parley("conf", "set", "openai", "lost", stdin={"openai_api_key": KEY}, secret_key=LOST)
    parley("conf", "set", "openai", "kept", stdin={"openai_api_key": KEY}, secret_key=f"{OLD},{LOST}")
    done = parley("keys", "rotate", secret_key=f"{NEW},{OLD}")
    assert done.exit_code == 1
    assert "openai/lost" in done.stdout
    assert "keep the old keys" in done.stderr
    assert "openai/kept: is encrypted again" in done.stdout
    assert KEY not in done.output
