"""`parley backup` and `parley restore`, as a person runs them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from app.cli import app

KEY = "sk-proj-abcdefghijkl"
Parley = Callable[..., Result]


@pytest.fixture
def parley(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Parley:
    """Runs a command in a house with a key of OpenAI's; nobody else uses its database."""
    monkeypatch.chdir(tmp_path)
    for name in ("SECRET_KEY", "OPENAI_API_KEY", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "STORAGE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "old"))

    def run(*arguments: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(app, list(arguments), input=stdin)

    assert run("conf", "set", "openai", "default", stdin=json.dumps({"openai_api_key": KEY})).exit_code == 0
    return run


def elsewhere(monkeypatch: pytest.MonkeyPatch, url: str, folder: str = "new") -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("DATA_DIR", folder)


def test_a_backup_is_restored_elsewhere_and_says_loudly_what_to_keep(
    parley: Parley, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
):
    made = parley("backup", "parley.tar")
    assert made.exit_code == 0, made.stderr
    assert "THE KEY RING IS IN THIS FILE" in made.stderr
    assert made.stdout.startswith("parley.tar: ")
    assert parley("restore", "--check", "parley.tar").stdout == "parley.tar is whole.\n"

    elsewhere(monkeypatch, empty_database_url)
    back = parley("restore", "parley.tar")
    assert (back.exit_code, "are back" in back.stdout) == (0, True), back.stderr
    assert json.loads(parley("conf", "get", "openai", "default").stdout)["openai_api_key"] == "****ijkl"


def test_what_is_there_is_deleted_only_by_somebody_who_agrees(parley: Parley):
    assert parley("backup", "parley.tar").exit_code == 0
    refused = parley("restore", "parley.tar")
    assert (refused.exit_code, "not empty" in refused.stderr, refused.stdout) == (1, True, "")
    unasked = parley("restore", "parley.tar", "--replace")
    assert (unasked.exit_code, "--yes" in unasked.stderr) == (1, True)


def test_the_wrong_secret_key_is_one_clear_refusal(
    parley: Parley, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SECRET_KEY", "r" * 40)
    monkeypatch.setenv("DATA_DIR", "other")
    assert parley("conf", "set", "openai", "default", stdin=json.dumps({"openai_api_key": KEY})).exit_code == 0
    made = parley("backup", "parley.tar", "--no-recordings")
    assert "THE KEY RING IS NOT IN THIS FILE" in made.stderr
    assert "rrrr" not in made.output

    elsewhere(monkeypatch, empty_database_url)
    monkeypatch.setenv("SECRET_KEY", "w" * 40)
    refused = parley("restore", "parley.tar")
    assert refused.exit_code == 1
    assert "SECRET_KEY is not the one" in refused.stderr
    assert "wwww" not in refused.output

    anyway = parley("restore", "parley.tar", "--without-key")
    assert (anyway.exit_code, "Enter these again" in anyway.stderr) == (0, True)


def test_what_is_no_backup_is_one_clear_line(parley: Parley, tmp_path: Path):
    (tmp_path / "x.tar").write_text("hello")
    refused = parley("restore", "x.tar")
    assert (refused.exit_code, "no whole backup" in refused.stderr) == (1, True)
    assert parley("backup", "nowhere/x.tar").exit_code == 1
    assert not (tmp_path / "nowhere").exists()
