"""`parley optout` as the shell has it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.optout import app
from app.errors import ParleyError
from app.settings import Settings


@pytest.fixture
def parley(empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for field in Settings.model_fields:
        monkeypatch.delenv(field.upper(), raising=False)
    monkeypatch.setenv("DATABASE_URL", empty_database_url)
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


def test_a_number_is_put_on_the_list_shown_there_and_taken_off(parley):
    assert "is on the do-not-call list." in parley("add", "+41 44 668 18 00", "--note", "by letter").output
    assert "already" in parley("add", "+41446681800").output
    shown = parley("list").output
    assert "+41446681800" in shown
    assert "by letter" in shown
    assert "may be called again" in parley("remove", "+41446681800").output
    assert "Nobody" in parley("list").output
    assert isinstance(parley("remove", "+41446681800").exception, ParleyError)
    assert isinstance(parley("add", "044").exception, ParleyError)
