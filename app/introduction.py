"""What a server says to the person who starts it."""

import contextlib
import sys

import structlog

from app.conf.opening import Opened
from app.conf.seed import first_admin_key
from app.errors import DatabaseError
from app.settings import CONTAINER_SECRETS, Settings

_log = structlog.get_logger(__name__)


async def introduce(opened: Opened, settings: Settings) -> None:
    """Say what a first user wants to know, and what is not ready yet."""
    with contextlib.suppress(DatabaseError):  # it is away: the first key is older than this start
        if key := await first_admin_key(opened.engine, settings.admin_api_key):
            _say(f"The first admin key, shown this once: {key}")
    if settings.public_url is None:
        contained = CONTAINER_SECRETS.is_dir()
        shown = f"docker compose exec app cat {CONTAINER_SECRETS}/admin_api_key"
        _say(
            "Parley is up, but no phone call can reach it yet.\n"
            f"  admin key:  {shown if contained else 'shown once, at the first start; or your ADMIN_API_KEY'}\n"
            f"  interface:  http://127.0.0.1:{settings.port}/docs{' (or the PORT of your .env)' if contained else ''}\n"
            "  real calls: need PUBLIC_URL, the https address at which Twilio reaches this server (see README.md)\n"
            f"  next:       write PUBLIC_URL into .env, then: {'docker compose up' if contained else 'make run'}"
        )
    for warning in opened.store.warnings():
        _log.warning("not_ready", reason=warning)
    for name, agent in opened.store.agents().items():
        for _, function in agent.missing_functions:
            _log.warning("not_ready", reason=f"agent/{name} goes without a tool: no Python function {function}")


def _say(text: str) -> None:
    """Words for the person who starts the server, past the log: it would mask keys and fold lines."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201
