"""A process of its own that keeps one PostgreSQL server running exactly as long as somebody uses it.

`embedded.py` runs this file as a script; only the standard library is here. Every Parley process that uses the server
holds a shared lock on the users file, and the kernel drops that lock however the process ends. We wait for an exclusive
one: to have it means that the last user is gone.
"""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TypedDict

STOP_STEPS = ((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
"""How a server is stopped, gently first: fast shutdown, immediate shutdown, kill; seconds to wait after each."""
SETTLED_S = 2.0
FALSE_STARTS = 4
"""So often a server may die at once; one that has once run well is always brought back."""
BACK_OFF_S = (0.1, 5.0)


class Plan(TypedDict):
    """What to run, and for whom."""

    command: list[str]
    account: dict[str, object]
    """The arguments of `Popen` that make it run as another user; empty: as ourselves."""
    environment: dict[str, str]
    cluster: str
    users_file: str


class Supervisor:
    """Brings the server back whenever it dies, and stops it when the last user is gone."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._unused = threading.Event()
        self._server: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        """Return when the server is down for good."""
        threading.Thread(target=self._stop_when_unused, daemon=True).start()
        cluster = Path(self._plan["cluster"])
        false_starts, settled, delay_s = 0, False, BACK_OFF_S[0]
        while not self._unused.is_set() and false_starts < FALSE_STARTS:
            end_orphan(cluster)
            lived_s = self._serve()
            settled = settled or lived_s > SETTLED_S or _was_ready(cluster)
            false_starts = 0 if settled else false_starts + 1
            delay_s = BACK_OFF_S[0] if lived_s > SETTLED_S else min(delay_s * 2, BACK_OFF_S[1])
            self._unused.wait(delay_s)

    def _serve(self) -> float:
        began = time.monotonic()
        self._server = subprocess.Popen(  # type: ignore[call-overload]  # noqa: S603 (the command is our own)
            self._plan["command"],
            stdin=subprocess.DEVNULL,
            env=self._plan["environment"],
            cwd="/",
            **self._plan["account"],
        )
        if self._unused.is_set():  # the last user left while it was being started
            self._stop()
        self._server.wait()
        return time.monotonic() - began

    def _stop_when_unused(self) -> None:
        users = os.open(self._plan["users_file"], os.O_RDWR)  # never closed: a newcomer waits until we are gone
        fcntl.flock(users, fcntl.LOCK_EX)
        self._unused.set()
        self._stop()

    def _stop(self) -> None:
        if (server := self._server) is None:
            return
        for step, patience_s in STOP_STEPS:
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.send_signal(step)
                server.wait(patience_s)
                return


def end_orphan(cluster: Path) -> None:
    """End a server that outlived its supervisor, and drop a pid file whose number is another process's by now."""
    pid_file = cluster / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().splitlines()[0])
    except (FileNotFoundError, ValueError, IndexError):
        return
    if not _alive(pid):
        return  # PostgreSQL clears the file itself, and first makes sure that no child of the dead server lives
    if str(cluster) not in _command_line(pid):
        pid_file.unlink()
        return
    for step, patience_s in STOP_STEPS:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, step)
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            if not _alive(pid):
                return
            time.sleep(0.02)


def _was_ready(cluster: Path) -> bool:
    """Whether the server that just died was killed after it had started: only then its pid file stays."""
    with contextlib.suppress(OSError):
        return "ready" in (cluster / "postmaster.pid").read_text()
    return False


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _command_line(pid: int) -> str:
    if Path("/proc/self").exists():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return ""
    ps = subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S603, S607 (a fixed command)
    return ps.stdout


def main() -> None:
    """Leave the process that started us, so that nobody has to wait for us, and supervise."""
    if os.fork():
        os._exit(0)
    os.setsid()  # a terminal's Ctrl-C is for the app; it is gone when it is gone
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, lambda *_: None)  # not SIG_IGN, which the server would inherit
    Supervisor(json.loads(sys.argv[1])).run()


if __name__ == "__main__":
    main()
