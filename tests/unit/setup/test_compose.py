"""The containers start without preparation, without default passwords, and without more rights than they need."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.settings import Settings

ROOT = Path(__file__).parents[3]


class ComposeLoader(yaml.SafeLoader):
    """YAML with the tag by which one compose file empties a list of another."""


ComposeLoader.add_constructor("!reset", lambda loader, node: loader.construct_sequence(node))


def load(name: str) -> dict[str, Any]:
    return yaml.load((ROOT / name).read_text(), ComposeLoader)  # noqa: S506 - it is a SafeLoader


@pytest.fixture
def compose() -> dict[str, Any]:
    return load("docker-compose.yml")


def seconds(duration: str) -> float:
    unit = {"s": 1, "m": 60, "h": 3600}
    return sum(float(number) * unit[name] for number, name in re.findall(r"(\d+)([smh])", duration))


def test_no_file_of_the_containers_holds_a_password(compose: dict[str, Any]) -> None:
    values = [
        str(value) for service in compose["services"].values() for value in service.get("environment", {}).items()
    ]

    assert [value for value in values if re.search(r"PASSWORD(?!_FILE)|SECRET|API_KEY|TOKEN|DATABASE_URL", value)] == []


def test_only_the_server_is_published_and_only_on_this_machine(compose: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}

    assert published == {"app": ["127.0.0.1:${PORT:-8000}:8000"]}


def test_the_container_waits_for_live_calls_before_it_is_killed(compose: dict[str, Any]) -> None:
    drain_seconds = Settings.model_fields["drain_seconds"].default

    assert seconds(compose["services"]["app"]["stop_grace_period"]) > drain_seconds + 5


def test_the_server_waits_for_its_secrets_and_a_healthy_database(compose: dict[str, Any]) -> None:
    conditions = {name: need["condition"] for name, need in compose["services"]["app"]["depends_on"].items()}

    assert conditions == {"secrets": "service_completed_successfully", "db": "service_healthy"}


def test_an_env_file_is_optional(compose: dict[str, Any]) -> None:
    assert compose["services"]["app"]["env_file"] == [{"path": ".env", "required": False}]


@pytest.mark.parametrize("file", ["docker-compose.yml", "docker/compose.sandbox.yml"])
def test_our_image_runs_read_only_without_capabilities(file: str) -> None:
    ours = [service for service in load(file)["services"].values() if service.get("build")]

    assert ours
    for service in ours:
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert "user" not in service  # the image's own


def test_what_must_last_is_in_volumes(compose: dict[str, Any]) -> None:
    mounts = {name: service["volumes"] for name, service in compose["services"].items()}

    assert mounts == {
        "secrets": ["app-secrets:/run/secrets", "db-secrets:/run/db-secrets"],
        "db": ["database:/var/lib/postgresql", "db-secrets:/run/secrets:ro"],
        "app": ["data:/data", "app-secrets:/run/secrets:ro"],
    }
    assert set(compose["volumes"]) == {mount.partition(":")[0] for group in mounts.values() for mount in group}


def test_a_rehearsal_knows_neither_the_owner_s_settings_nor_the_outside() -> None:
    app, sandbox = (load("docker/compose.sandbox.yml")["services"][name] for name in ("app", "sandbox"))

    assert (app["env_file"], app["ports"]) == ([], [])
    assert sandbox["network_mode"] == "service:app"
    assert sandbox["environment"].items() >= app["environment"].items()
    assert {name.lower() for name in app["environment"]} <= set(Settings.model_fields)
    assert all("://127.0.0.1:" in url for name, url in app["environment"].items() if name.endswith("_URL"))


# --- the scripts ---


def make_secrets(folder: Path) -> dict[str, str]:
    app, database = folder / "app", folder / "db"
    subprocess.run(["sh", ROOT / "docker/make-secrets.sh", app, database], check=True)
    files = sorted([*app.iterdir(), *database.iterdir()])
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    return {file.relative_to(folder).as_posix(): file.read_text() for file in files}


@pytest.fixture
def volumes(tmp_path: Path) -> Path:
    for name in ("app", "db"):
        (tmp_path / name).mkdir()
    return tmp_path


def test_secrets_are_made_once_and_the_server_reads_them(volumes: Path) -> None:
    first = make_secrets(volumes)

    assert make_secrets(volumes) == first
    settings = Settings(_secrets_dir=volumes / "app", _env_file=None)  # type: ignore[call-arg]
    assert settings.secret_key
    assert settings.secret_key.get_secret_value() == first["app/secret_key"]
    assert settings.admin_api_key
    assert settings.database_url
    assert f":{first['db/postgres_password']}@db:" in settings.database_url.get_secret_value()


def test_secrets_are_random_and_of_full_strength(volumes: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for name in ("app", "db"):
        (elsewhere / name).mkdir()
    values = [*make_secrets(volumes).values(), *make_secrets(elsewhere).values()]

    found = {digits for value in values for digits in re.findall(r"[0-9a-f]{64}", value)}
    assert len(found) == 2 * 3


def test_the_database_sees_its_own_password_only(volumes: Path) -> None:
    assert [name for name in make_secrets(volumes) if name.startswith("db/")] == ["db/postgres_password"]


def test_an_interrupted_start_is_completed(volumes: Path) -> None:
    (volumes / "db/postgres_password").write_text("made-before")
    (volumes / "db/postgres_password").chmod(0o600)
    (volumes / "app/database_url").touch()

    assert "made-before" in make_secrets(volumes)["app/database_url"]


def compose_check(folder: Path, docker: str) -> tuple[int, str, list[str]]:
    """Run the check with a stand-in for `docker`: its status, what it printed, and the docker commands it ran."""
    (folder / "docker").write_text(f'#!/bin/sh\necho "$*" >>"{folder}/calls"\n{docker}\n')
    (folder / "docker").chmod(0o755)
    done = subprocess.run(
        ["sh", ROOT / "docker/compose-check.sh"],
        env=os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    commands = [
        line.partition("compose.sandbox.yml ")[2] or line for line in (folder / "calls").read_text().splitlines()
    ]
    return done.returncode, done.stdout, commands


def test_the_compose_check_says_that_it_was_skipped_without_an_engine(tmp_path: Path) -> None:
    status, printed, commands = compose_check(tmp_path, docker="exit 1")

    assert (status, commands) == (0, ["info"])
    assert "skipped: no Docker engine" in printed


def test_the_compose_check_places_a_call_and_removes_everything(tmp_path: Path) -> None:
    status, _, commands = compose_check(tmp_path, docker="exit 0")

    assert status == 0
    assert commands == ["info", "build", "run --rm sandbox", "down --volumes --remove-orphans"]


def test_the_compose_check_fails_with_its_call_and_still_removes_everything(tmp_path: Path) -> None:
    status, _, commands = compose_check(tmp_path, docker='case "$*" in *run*) exit 3 ;; esac')

    assert status == 3
    assert commands[-2:] == ["logs --tail 100", "down --volumes --remove-orphans"]
