"""What the documents say of the settings and the commands is what there is."""

import json
import re
import tomllib
from pathlib import Path

import typer.main
from pydantic_core import PydanticUndefined

from app.cli import app as parley
from app.conf.models import AgentConf, Known, NumberConf, OpenAICoreConf, parse
from app.settings import Settings

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text()
EXAMPLE = (ROOT / ".env.example").read_text()
NAMES = {name.upper() for name in Settings.model_fields}
DEFAULTS = {
    name.upper(): str(field.default)
    for name, field in Settings.model_fields.items()
    if field.default not in (None, PydanticUndefined)
}


def test_the_example_names_every_setting_with_its_default() -> None:
    offered = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE))

    assert set(offered) == NAMES
    assert {name: offered[name] for name in DEFAULTS} == DEFAULTS


def test_the_example_sets_nothing_until_somebody_fills_it_in(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(EXAMPLE)

    assert Settings(_env_file=tmp_path / ".env") == Settings(_env_file=None)  # type: ignore[call-arg]


def test_the_readme_names_every_setting_with_its_default() -> None:
    table = dict(re.findall(r"^\| `([A-Z_]+)` \| `?([^`|]*?)`? \|", README, re.MULTILINE))

    assert set(table) == NAMES
    assert {name: table[name] for name in DEFAULTS} == DEFAULTS


def test_every_make_word_of_the_readme_exists() -> None:
    words = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    used = set(re.findall(r"(?:^|`)make ([a-z-]+)", README, re.MULTILINE))

    assert {"demo", "test", "check", "run", "lock", "compose-check"} <= used <= words


def test_every_command_of_the_readme_exists() -> None:
    commands = typer.main.get_command(parley).commands  # type: ignore[attr-defined]
    used = set(re.findall(r"(?:^|`|app |bin/)parley ([a-z]+)", README, re.MULTILINE))

    assert {"serve", "conf"} <= used <= set(commands)


def test_the_readme_s_rows_are_accepted() -> None:
    agent, number, openai = (json.loads(text) for text in re.findall(r"```json\n(.*?)```", README, re.DOTALL))

    assert isinstance(parse("agent", "bakery", agent, Known()), AgentConf)
    assert isinstance(parse("number", "+15551234567", number, Known()), NumberConf)
    assert isinstance(parse("openai", "default", openai, Known()), OpenAICoreConf)


def test_the_two_commands_come_first() -> None:
    first_block = README.split("```")[1]

    assert first_block == "sh\nmake demo\nmake test\n"


def test_the_changelog_knows_the_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    assert version in (ROOT / "CHANGELOG.md").read_text()
