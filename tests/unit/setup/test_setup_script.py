"""Set-up says what it lacks, does its work once, and an interrupted one is redone. No package is installed here."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PYTHON = """#!/bin/sh
echo "$*" >>"$CALLS"
case "$*" in
*ensurepip*) exit "${NO_VENV:-0}" ;;
*"version_info[:2]"*) echo 3.12 ;;
*"< (3, 11)"*) exit "${TOO_OLD:-0}" ;;
"-m venv .venv")
    mkdir -p .venv/bin
    cp "$0" .venv/bin/python
    echo "VIRTUAL_ENV=$(pwd -P)/.venv" >.venv/bin/activate ;;
*--require-hashes*) echo "Collecting one"; exit "${PIP_FAILS:-0}" ;;
esac
"""


class Checkout:
    """A folder with a lock, and an interpreter that only notes what it is asked to do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "a checkout"
        self.tools = folder / "tools"
        self.calls = folder / "calls"
        (self.folder / "scripts").mkdir(parents=True)
        self.tools.mkdir()
        shutil.copy(ROOT / "scripts/setup.sh", self.folder / "scripts")
        (self.folder / "requirements.lock").write_text("one==1 \\\n")
        (self.folder / "pyproject.toml").touch()
        for name in ("sh", "awk", "cat", "cksum", "cp", "dirname", "grep", "mkdir", "rm"):
            (self.tools / name).symlink_to(str(shutil.which(name)))
        (self.tools / "python3").write_text(PYTHON)
        (self.tools / "python3").chmod(0o755)

    def set_up(self, **given: str) -> "subprocess.CompletedProcess[str]":
        self.calls.write_text("")
        env = {"PATH": str(self.tools), "CALLS": str(self.calls), "HOME": os.devnull} | given
        command = [str(self.tools / "sh"), "scripts/setup.sh"]
        return subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True, check=False)

    @property
    def installs(self) -> list[str]:
        return [call for call in self.calls.read_text().splitlines() if " install " in call]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_it_installs_the_lock_with_hashes_and_then_the_checkout(checkout: Checkout) -> None:
    done = checkout.set_up()

    assert done.returncode == 0, done.stderr
    locked, ours = checkout.installs
    assert locked.endswith("install --require-hashes -r requirements.lock")
    assert ours.endswith("--no-deps --no-build-isolation -e .")


def test_a_second_time_it_says_nothing_and_does_nothing(checkout: Checkout) -> None:
    checkout.set_up()

    done = checkout.set_up()

    assert (done.returncode, done.stdout, checkout.installs) == (0, "", [])


@pytest.mark.parametrize("file", ["requirements.lock", "pyproject.toml"])
def test_it_installs_again_when_what_is_wanted_changed(checkout: Checkout, file: str) -> None:
    checkout.set_up()
    (checkout.folder / file).write_text("two==2 \\\n")

    checkout.set_up()

    assert len(checkout.installs) == 2


def test_a_failed_installation_is_told_and_redone(checkout: Checkout) -> None:
    failed = checkout.set_up(PIP_FAILS="1")
    assert failed.returncode == 1
    assert "run the same command again" in failed.stderr
    assert len(checkout.installs) == 1

    assert checkout.set_up().returncode == 0
    assert len(checkout.installs) == 2


def test_a_moved_checkout_gets_a_new_environment(checkout: Checkout) -> None:
    checkout.set_up()
    checkout.folder = checkout.folder.rename(checkout.folder.with_name("moved"))

    checkout.set_up()

    assert "-m venv .venv" in checkout.calls.read_text()


def test_an_old_python_is_refused_with_the_ways_to_get_a_new_one(checkout: Checkout) -> None:
    done = checkout.set_up(TOO_OLD="1")

    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr
    assert "apt install" in done.stderr


def test_a_missing_venv_module_is_named_with_its_remedy(checkout: Checkout) -> None:
    done = checkout.set_up(NO_VENV="1")

    assert done.returncode == 1
    assert "sudo apt install python3.12-venv" in done.stderr


def test_the_interpreter_can_be_chosen(checkout: Checkout) -> None:
    done = checkout.set_up(PYTHON="python-of-mine")

    assert "none of these is: python-of-mine" in done.stderr
