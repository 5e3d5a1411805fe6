import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from app.conf import store as store_module
from app.conf.models import Known
from app.conf.secrets import KeyRing
from app.conf.store import ConfStore
from app.conf.writes import Written
from app.db.engine import create_engine
from app.doctor.checks import rows
from app.errors import ConfConflict, ConfInvalid, ConfMissing, DatabaseError, SecretsError

RING = KeyRing(["k" * 32])
KEY = "sk-proj-abcdefghijkl"
SID = "AC" + "0" * 32
NOWHERE = "postgresql+asyncpg://parley:x@127.0.0.1:1/parley"


def a_store(engine: AsyncEngine, data_dir: Path, ring: KeyRing = RING) -> ConfStore:
    return ConfStore(engine, ring, Known(), data_dir)


@pytest.fixture
def store(engine: AsyncEngine, tmp_path: Path) -> ConfStore:
    return a_store(engine, tmp_path)


@asynccontextmanager
async def listening(store: ConfStore) -> AsyncIterator[None]:
    listener = asyncio.create_task(store.listen())
    await until(lambda: store.fresh)
    yield
    assert not listener.done()
    listener.cancel()
    await asyncio.wait([listener])


async def until(holds, within_s: float = 5.0) -> None:
    """Wait for what another process (PostgreSQL) will do; nothing in ours says when."""
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110 (there is no event)
            await asyncio.sleep(0.01)


async def value_of(engine: AsyncEngine, table: str) -> str:
    async with engine.connect() as connection:
        return "\n".join((await connection.scalars(text(f"select value::text from {table}"))).all())  # noqa: S608


async def test_what_is_put_is_read_typed_at_once(store: ConfStore):
    assert (await store.put("agent", "sales", {"voice": "cedar"}, by="me")).version == 1
    await store.put("number", "+15551234567", {"agent": "sales"}, by="me")

    assert store.agent("sales").voice == "cedar"
    assert store.agent_version("sales") == 1
    number = store.number("+15551234567")
    assert number is not None
    assert number.agent == "sales"
    assert store.number("+15550000000") is None


async def test_a_number_without_a_row_gets_the_default(store: ConfStore):
    await store.put("agent", "a", {}, by="me")
    await store.put("number", "default", {"agent": "a"}, by="me")
    number = store.number("+15550000000")
    assert number is not None
    assert number.agent == "a"


async def test_numbers_that_a_tool_could_not_call_are_told_at_save_by_the_check_and_by_the_doctor(store: ConfStore):
    def tool(number: str) -> dict[str, object]:
        return {"tools": [{"type": "transfer_call", "destinations": {"sales": {"number": number}}}]}

    path = "tools.0.destinations.sales.number"
    account = {"account_sid": SID, "auth_tokens": ["t" * 32]}
    await store.put("twilio", "default", account | {"allowed_dial_prefixes": ["+1555765"]}, by="me")
    assert (await store.put("agent", "a", tool("+15557654321"), by="me")).warnings == []
    with pytest.raises(ConfInvalid) as refused:
        await store.put("agent", "a", tool("+19002345678"), by="me")
    assert [fault.path for fault in refused.value.faults] == [path]

    [warning] = (await store.put("agent", "a", tool("+41445550100"), by="me")).warnings
    assert warning.startswith(f"agent/a: {path}: ")
    assert (await store.writes.check("agent", "a", tool("+41445550100")))[1] == [warning]
    found = [check for check in rows(store, Known(), date(2026, 11, 1)) if check.what == "agent/a"]
    assert [(check.verdict, f"agent/a: {check.text}") for check in found] == [("warning", warning)]

    number = {"agent": "a", "fallback_number": "+41445550100"}
    await store.put("number", "default", number, by="me")
    assert (await store.put("agent", "a", tool("+41445550100"), by="me")).warnings == []


async def test_secrets_are_encrypted_in_every_table_and_file(store: ConfStore, engine: AsyncEngine, tmp_path: Path):
    await store.put("openai", "default", {"openai_api_key": KEY}, by="me")
    await store.put(
        "twilio", "default", {"account_sid": SID, "auth_tokens": ["a-token-of-old", "b-token-new"]}, by="me"
    )

    kept = await value_of(engine, "core_conf") + await value_of(engine, "core_conf_history")
    kept += (tmp_path / "core_conf.json").read_text()
    assert kept.count("v1:") == 9
    for secret in (KEY, "a-token-of-old", "b-token-new"):
        assert secret not in kept
        assert secret not in str(store.rows())
    assert store.openai().openai_api_key.get_secret_value() == KEY
    assert [token.get_secret_value() for token in store.twilio_accounts()[0].auth_tokens][1] == "b-token-new"
    assert (tmp_path / "core_conf.json").stat().st_mode & 0o777 == 0o600


async def test_versions_count_up_and_history_keeps_them_all(store: ConfStore, engine: AsyncEngine):
    await store.put("agent", "a", {"voice": "cedar"}, by="ann")
    assert (await store.put("agent", "a", {"voice": "marin"}, by="bob", expected_version=1)).version == 2
    await store.delete("agent", "a", by="cid", expected_version=2)
    assert (await store.put("agent", "a", {}, by="dan", expected_version=0)).version == 4

    async with engine.connect() as connection:
        history = await connection.execute(
            text("select version, value->>'voice', updated_by, value is null from core_conf_history order by version")
        )
        assert history.all() == [
            (1, "cedar", "ann", False),
            (2, "marin", "bob", False),
            (3, None, "cid", True),
            (4, None, "dan", False),
        ]


@pytest.mark.parametrize("expected", [0, 2])
async def test_a_write_that_saw_another_version_is_refused(store: ConfStore, expected: int):
    await store.put("agent", "a", {"voice": "cedar"}, by="me")
    with pytest.raises(ConfConflict, match="version 1"):
        await store.put("agent", "a", {}, by="me", expected_version=expected)
    with pytest.raises(ConfConflict):
        await store.delete("agent", "a", by="me", expected_version=expected)
    assert store.agent("a").voice == "cedar"


async def test_of_two_writers_who_saw_the_same_version_one_wins(store: ConfStore):
    outcomes = await asyncio.gather(
        *(store.put("agent", "a", {}, by="me", expected_version=0) for _ in range(4)), return_exceptions=True
    )
    assert [outcome.version for outcome in outcomes if isinstance(outcome, Written)] == [1]
    assert sum(isinstance(outcome, ConfConflict) for outcome in outcomes) == 3


@pytest.mark.parametrize(
    ("section", "name", "value", "named"),
    [
        ("number", "default", {"agent": "nobody"}, "agent/nobody"),
        ("agent", "a", {"provider": "acme"}, "provider"),
        ("agent", "a", {"voise": "x"}, "voise"),
        ("agent", "a", {"instructions": "nul \0"}, "agent/a"),
        ("agent", "a", [], "agent/a"),
        ("agent", "a", None, "agent/a"),
        ("openai", "default", {"openai_api_key": "****abcd"}, "openai_api_key"),
        ("nothing", "a", {}, "nothing"),
    ],
)
async def test_a_wrong_value_is_refused_by_name_and_nothing_written(  # noqa: PLR0917 (parameters have no order)
    store, engine, section, name, value, named
):
    with pytest.raises(ConfInvalid, match=named):
        await store.put(section, name, value, by="me")
    assert await value_of(engine, "core_conf_history") == ""


async def test_an_agent_that_answers_a_number_is_not_deleted(store: ConfStore):
    await store.put("agent", "a", {}, by="me")
    await store.put("number", "+15551234567", {"agent": "a"}, by="me")
    with pytest.raises(ConfInvalid, match=r"\+15551234567"):
        await store.delete("agent", "a", by="me")

    await store.delete("number", "+15551234567", by="me")
    await store.delete("agent", "a", by="me")
    with pytest.raises(ConfMissing, match="agent/a"):
        store.agent("a")
    with pytest.raises(ConfMissing):
        await store.delete("agent", "a", by="me")


async def test_a_row_that_was_shown_can_be_written_back_with_its_secrets(store: ConfStore):
    await store.put("openai", "default", {"openai_api_key": KEY}, by="me")
    [shown] = store.rows("openai")
    assert shown.value["openai_api_key"] == "****ijkl"

    await store.put("openai", "default", shown.value | {"project": "p"}, by="me")
    await store.put("openai", "default", {"organization": "o"}, by="me")
    assert store.openai().openai_api_key.get_secret_value() == KEY
    assert (store.openai().organization, store.openai().project) == ("o", None)


async def test_an_agent_whose_account_is_not_set_is_a_warning(store: ConfStore):
    await store.put("agent", "a", {"account": "work"}, by="me")
    assert store.warnings() == ["agent/a uses openai/work, which is not set"]
    await store.put("openai", "work", {"openai_api_key": KEY}, by="me")
    assert store.warnings() == []


async def test_a_write_reaches_another_process_within_a_second(store: ConfStore, engine: AsyncEngine, tmp_path: Path):
    (tmp_path / "other").mkdir()
    other = a_store(engine, tmp_path / "other")
    async with listening(other):
        await store.put("agent", "a", {"voice": "cedar"}, by="me")
        await until(lambda: [row.name for row in other.rows()] == ["a"], within_s=1)
        await store.delete("agent", "a", by="me")
        await until(lambda: other.rows() == [], within_s=1)


async def test_listening_survives_the_death_of_its_connection(store: ConfStore, engine: AsyncEngine, tmp_path: Path):
    (tmp_path / "other").mkdir()
    other = a_store(engine, tmp_path / "other")
    async with listening(other):
        async with engine.connect() as connection:
            killed = await connection.scalars(
                text("select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'listen %'")
            )
            assert killed.all() == [True]
        await until(lambda: not other.fresh)
        await store.put("agent", "missed", {}, by="me")  # while nobody listens
        await until(lambda: len(other.rows()) == 1)
        await store.put("agent", "heard", {}, by="me")
        await until(lambda: len(other.rows()) == 2)


async def test_a_database_that_is_away_is_waited_for_without_a_crash(store: ConfStore, tmp_path: Path):
    await store.put("agent", "a", {}, by="me")
    away = create_engine(NOWHERE)
    other = a_store(away, tmp_path)
    await other.load()
    listener = asyncio.create_task(other.listen())
    with capture_logs() as lines:
        await until(lambda: len(lines) >= 2)
    assert {line["event"] for line in lines} == {"core_conf_not_fresh"}
    assert other.agent("a")
    assert not other.fresh
    listener.cancel()
    await asyncio.wait([listener])
    await away.dispose()


async def test_a_start_without_the_database_has_the_last_snapshot(store: ConfStore, tmp_path: Path):
    await store.put("openai", "default", {"openai_api_key": KEY}, by="me")
    away = create_engine(NOWHERE)
    started = a_store(away, tmp_path)
    with capture_logs() as lines:
        await started.load()

    assert started.openai().openai_api_key.get_secret_value() == KEY
    assert [line["event"] for line in lines] == ["database_away_at_start"]
    with pytest.raises(DatabaseError):
        await started.put("agent", "a", {}, by="me")
    await away.dispose()


async def test_a_database_that_takes_us_in_and_says_nothing_counts_as_away(store, tmp_path, monkeypatch):
    await store.put("agent", "a", {}, by="me")
    monkeypatch.setattr(store_module, "DATABASE_WITHIN_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        hanging = create_engine(f"postgresql+asyncpg://parley:x@127.0.0.1:{mute.getsockname()[1]}/parley")
        started = a_store(hanging, tmp_path)
        async with asyncio.timeout(2):
            await started.load()
        assert started.agent("a")
        await hanging.dispose()


@pytest.mark.parametrize("kept", [None, "", "{}x", '[{"section": 1}]'])
async def test_a_first_start_without_the_database_is_refused(tmp_path: Path, kept: str | None):
    if kept is not None:
        (tmp_path / "core_conf.json").write_text(kept)
    away = create_engine(NOWHERE)
    with pytest.raises(DatabaseError):
        await a_store(away, tmp_path).load()
    await away.dispose()


async def test_what_the_database_needed_first_is_done_when_it_comes_back(engine: AsyncEngine, tmp_path: Path):
    """A database that does not answer in time at start, and does later."""
    (tmp_path / "core_conf.json").write_text("[]")
    prepared = asyncio.Event()

    async def prepare() -> None:
        prepared.set()

    store = a_store(create_engine(NOWHERE), tmp_path)
    await store.load(prepare)
    assert not prepared.is_set()
    store._engine = engine  # the same address, now with a server
    async with listening(store):
        assert prepared.is_set()


async def test_the_wrong_key_refuses_to_start_and_names_what_is_missing(store, engine: AsyncEngine, tmp_path: Path):
    await store.put("openai", "default", {"openai_api_key": KEY}, by="me")
    wrong = KeyRing(["w" * 32])
    with pytest.raises(SecretsError, match="SECRET_KEY"):
        await a_store(engine, tmp_path, wrong).load()

    away = create_engine(NOWHERE)
    with pytest.raises(SecretsError, match="SECRET_KEY"):
        await a_store(away, tmp_path, wrong).load()
    await away.dispose()


async def test_a_row_whose_key_is_lost_can_be_replaced(store: ConfStore, engine: AsyncEngine, tmp_path: Path):
    await store.put("openai", "default", {"openai_api_key": KEY}, by="me")
    other = a_store(engine, tmp_path, KeyRing(["w" * 32]))
    with pytest.raises(ConfInvalid, match="openai_api_key"):
        await other.put("openai", "default", {"organization": "o"}, by="me")
    await other.put("openai", "default", {"openai_api_key": "sk-another-secret"}, by="me")
    assert other.openai().openai_api_key.get_secret_value() == "sk-another-secret"


async def test_a_row_of_a_newer_version_keeps_its_last_good_value(store: ConfStore, engine: AsyncEngine):
    await store.put("agent", "a", {"voice": "cedar"}, by="me")
    async with engine.begin() as connection:
        await connection.execute(text("""update core_conf set value = '{"hologram": true}', version = 2"""))
        await connection.execute(
            text("insert into core_conf values ('agent', 'b', '{\"hologram\": true}', 1, now(), 'newer')")
        )
        await connection.execute(text("insert into core_conf values ('hologram', 'c', '{}', 1, now(), 'newer')"))
    with capture_logs() as lines:
        await store.refresh(strict=True)

    assert [line["row"] for line in lines] == ["agent/a", "agent/b", "hologram/c"]
    assert (store.agent("a").voice, store.agent_version("a")) == ("cedar", 1)
    assert [row.name for row in store.rows()] == ["a"]


async def test_a_disk_that_cannot_keep_the_snapshot_stops_nothing(engine: AsyncEngine, tmp_path: Path):
    store = a_store(engine, tmp_path / "missing")
    with capture_logs() as lines:
        await store.put("agent", "a", {}, by="me")
    assert [line["event"] for line in lines] == ["core_conf_not_kept"]
    assert store.agent("a")


async def test_the_snapshot_is_plain_json(store: ConfStore, tmp_path: Path):
    await store.put("agent", "a", {"voice": "cedar"}, by="me")
    [row] = json.loads((tmp_path / "core_conf.json").read_text())
    assert (row["section"], row["name"], row["value"], row["version"]) == ("agent", "a", {"voice": "cedar"}, 1)
