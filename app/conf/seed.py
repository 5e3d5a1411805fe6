"""What a fresh install starts with: rows from the environment, a first agent, a first admin key."""

import structlog
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from app.conf.models import DEFAULT
from app.conf.store import ConfStore
from app.db import api_keys
from app.db.engine import db_session
from app.errors import ConfConflict, ConfInvalid, SettingsError
from app.settings import Settings

BY = "first start"
ADMIN_SCOPES = frozenset({"admin", "read"})

log = structlog.get_logger()


async def seed(store: ConfStore, settings: Settings) -> None:
    """Write what has never been there; the table wins from then on, also over what the operator deleted."""
    ever = await store.ever_written()
    sections = {section for section, _ in ever}
    if key := settings.openai_api_key:
        await _from_environment(store, "openai", {"openai_api_key": key.get_secret_value()}, ever)
    if settings.twilio_account_sid and settings.twilio_auth_token:
        tokens = [settings.twilio_auth_token.get_secret_value()]
        await _from_environment(
            store, "twilio", {"account_sid": settings.twilio_account_sid, "auth_tokens": tokens}, ever
        )
    if "agent" not in sections:
        await _write(store, "agent", {})
    if "number" not in sections and ("agent", DEFAULT) in {(row.section, row.name) for row in store.rows()}:
        await _write(store, "number", {"agent": DEFAULT})
    for variable in _differences(store, settings):
        log.warning("environment_differs", variable=variable, reason="core_conf differs, and wins")


async def first_admin_key(engine: AsyncEngine, given: SecretStr | None) -> str | None:
    """Store the first admin key, `ADMIN_API_KEY` or a new one; a new one is returned, this once."""
    key = given.get_secret_value() if given else api_keys.new_key()
    async with db_session(engine) as db:
        added = await api_keys.add_first_key(db, key, "first admin key", ADMIN_SCOPES)
        if given and not added and await api_keys.verify(db, key) is None:
            log.warning("environment_differs", variable="ADMIN_API_KEY", reason="it is not a valid key, or no longer")
    return key if added and not given else None


async def _from_environment(
    store: ConfStore, section: str, value: dict[str, object], ever: frozenset[tuple[str, str]]
) -> None:
    if (section, DEFAULT) in ever:
        return
    try:
        await _write(store, section, value)
    except ConfInvalid as error:
        raise SettingsError(f"the environment's value for {section}/{DEFAULT} was refused: {error}") from None


async def _write(store: ConfStore, section: str, value: dict[str, object]) -> None:
    try:
        await store.put(section, DEFAULT, value, by=BY, expected_version=0)
    except ConfConflict:
        await store.refresh()  # another process that starts at the same time was first


def _differences(store: ConfStore, settings: Settings) -> list[str]:
    differing = []
    rows = {row.section for row in store.rows() if row.name == DEFAULT}
    if settings.openai_api_key and "openai" in rows and store.openai().openai_api_key != settings.openai_api_key:
        differing.append("OPENAI_API_KEY")
    if "twilio" in rows:
        account = store.twilio()
        if settings.twilio_account_sid not in {None, account.account_sid}:
            differing.append("TWILIO_ACCOUNT_SID")
        if settings.twilio_auth_token and settings.twilio_auth_token not in account.auth_tokens:
            differing.append("TWILIO_AUTH_TOKEN")
    return differing
