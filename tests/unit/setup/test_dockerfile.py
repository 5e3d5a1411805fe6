"""The image's steps, run one by one in a clean folder: there is no container engine here, but there is a shell."""

import http.server
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
AT_ROOT = re.compile(r"(?:(?<=[\s=:\"])|^)/(?=\w)")
SHIMS = {
    "python": f'exec "{sys.executable}" "$@"',
    "pip": f'exec "{sys.executable}" -m pip --disable-pip-version-check --quiet "$@"',
    "groupadd": "",  # these three need root
    "useradd": "",
    "install": 'for folder in "$@"; do case "$folder" in /*) mkdir -p "$folder" ;; esac; done',
}


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"\\\n\s*", " ", re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in text.splitlines() if line)]


@dataclass
class Image:
    """A build in a folder: `/` is `root`, and a stage that is done moves aside."""

    folder: Path
    context: Path
    workdir: str = "/"
    env: dict[str, str] = field(default_factory=dict)
    stages: dict[str, Path] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        return self.folder / "root"

    def inside(self, text: str) -> str:
        return AT_ROOT.sub(lambda _: f"{self.root}/", text)

    def build(self) -> None:
        stage = ""
        for word, rest in instructions():
            match word:
                case "FROM":
                    if stage:
                        self.stages[stage] = self.root.rename(self.folder / stage)
                    self.root.mkdir()
                    self.workdir, self.env = "/", {}
                    stage = rest.partition(" AS ")[2]
                case "WORKDIR":
                    self.workdir = rest
                    Path(self.inside(rest)).mkdir(parents=True, exist_ok=True)
                case "COPY":
                    self.copy(shlex.split(rest))
                case "ENV":
                    self.env |= dict(pair.split("=", 1) for pair in shlex.split(rest))
                case "RUN":
                    self.run(["sh", "-euc", self.inside(rest)])
                case _:
                    self.said[word] = rest

    def copy(self, words: list[str]) -> None:
        source_root = self.context
        if words[0].startswith("--from="):
            source_root = self.stages[words.pop(0).removeprefix("--from=")]
        *sources, target = words
        folder = Path(self.inside(self.workdir)) / self.inside(target)
        for source in sources:
            path = source_root / source.lstrip("/")
            if path.is_dir():
                shutil.copytree(path, folder, symlinks=True, dirs_exist_ok=True)
            else:
                shutil.copy2(path, folder)

    def run(self, command: list[str]) -> str:
        shims = self.folder / "shims"
        path = f"{self.inside(self.env.get('PATH', '')).removesuffix('$PATH')}:{shims}:{os.environ['PATH']}"
        hurry = {"PIP_NO_COMPILE": "1", "PIP_RETRIES": "1", "PIP_DEFAULT_TIMEOUT": "15"}
        done = subprocess.run(
            ["/usr/bin/env", *command],
            cwd=self.inside(self.workdir),
            env=os.environ | self.env | hurry | {"PATH": path, "DATA_DIR": str(self.root / "data")},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode and re.search("NewConnectionError|name resolution|No matching distribution", done.stderr):
            pytest.skip("no package index can be reached: the image's steps were not tried")
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The built image, from what .dockerignore lets through."""
    folder = tmp_path_factory.mktemp("image")
    (folder / "shims").mkdir()
    for name, body in SHIMS.items():
        (folder / "shims" / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / "shims" / name).chmod(0o755)
    for name in re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE):
        source, target = ROOT / name, folder / "context" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    image = Image(folder, context=folder / "context")
    image.build()
    return image


@pytest.mark.image
def test_the_steps_end_in_a_command_that_starts(image: Image) -> None:
    [program, *arguments] = json.loads(image.said["CMD"])

    assert arguments == ["serve"]
    assert image.run(["sh", "-c", f"command -v {program}"]).startswith(str(image.root))
    assert "serve" in image.run([program, "--help"])


@pytest.mark.image
def test_the_image_holds_code_migrations_and_scripts_and_nothing_else(image: Image) -> None:
    assert {path.name for path in (image.root / "srv/parley").iterdir()} == {"app", "migrations", "docker"}
    assert image.run(["python", "-c", "import app; print(app.__file__)"]).startswith(str(image.root / "srv/parley"))


@pytest.mark.image
def test_the_image_can_run_without_writing_to_itself(image: Image) -> None:
    sources = list((image.root / "srv/parley/app").rglob("*.py"))

    assert sources
    assert all((path.parent / "__pycache__").is_dir() for path in sources)
    assert image.env["PYTHONDONTWRITEBYTECODE"] == "1"


@pytest.mark.image
def test_the_image_runs_as_an_ordinary_user_who_owns_what_volumes_cover(image: Image) -> None:
    assert image.said["USER"] == "10001:10001"
    assert image.said["VOLUME"] == image.env["DATA_DIR"] == "/data"
    for folder in ("data", "run/secrets", "run/db-secrets"):
        assert (image.root / folder).is_dir()


@pytest.mark.image
def test_the_image_stops_by_the_signal_that_drains(image: Image) -> None:
    assert image.said["STOPSIGNAL"] == "SIGTERM"
    assert image.said["CMD"].startswith("[")  # no shell between the signal and the server


class Health(http.server.BaseHTTPRequestHandler):
    """A server that is alive or not."""

    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with http.server.HTTPServer(("127.0.0.1", 0), Health) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def health_status(port: int) -> int:
    command = [sys.executable, ROOT / "docker/healthcheck.py"]
    env = os.environ | {"PORT": str(port), "http_proxy": "http://127.0.0.1:1"}
    return subprocess.run(command, env=env, capture_output=True, check=False).returncode


def test_the_health_check_follows_the_server(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert health_status(port) == 0

    monkeypatch.setattr(Health, "status", 500)
    assert health_status(port) == 1


def test_the_health_check_fails_where_nothing_listens() -> None:
    assert health_status(1) == 1
