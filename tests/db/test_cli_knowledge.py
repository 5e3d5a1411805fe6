"""`parley knowledge` as the shell has it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.knowledge import app
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


def test_a_folder_is_added_asked_shown_and_removed(parley, tmp_path: Path):
    for name, text in {
        "site/returns.md": "# Returns\n\nShoes may come back within 30 days.",
        "site/deep/prices [2026].csv": "product,price\ncroissant,2.20\n",
        "site/.git/hidden.md": "hidden",
        "site/picture.png": "no text",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    assert "shop: 2 added, 0 replaced, 0 unchanged" in parley("add", "shop", "site").output
    (tmp_path / "site/returns.md").write_text("# Returns\n\nShoes may come back within 60 days.")
    (tmp_path / "site/broken.txt").write_bytes(b"caf\xe9")
    again = parley("add", "shop", "site", "missing.md")
    assert again.exit_code == 1
    assert "shop: 0 added, 1 replaced, 1 unchanged" in again.output
    assert "broken.txt: It is not UTF-8" in again.output
    assert "missing.md: No such file" in again.output

    listed = parley("list").output
    assert "deep_prices _2026_.csv" in listed
    assert "hidden" not in listed
    assert "product: croissant; price: 2.20" in parley("search", "shop", "how", "much", "is", "a", "croissant").output
    assert "Nothing" in parley("search", "other", "croissant").output
    assert "60 days" in parley("show", "shop", "returns.md").output
    assert isinstance(parley("remove", "shop", "returns.md", "nothing.md").exception, ParleyError)
    assert "returns.md" in parley("list").output
    assert "1 deleted" in parley("remove", "shop", "returns.md").output
    assert isinstance(parley("show", "shop", "returns.md").exception, ParleyError)


def test_two_files_of_one_name_are_not_mixed_up(parley, tmp_path: Path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same.txt").write_text(folder)
    assert "letters" in str(parley("add", "a/b", "a").exception)
    refused = parley("add", "shop", "a", "b").exception
    assert isinstance(refused, ParleyError)
    assert "would both be called same.txt" in str(refused)
