import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.conf.opening import open_store
from app.errors import SettingsError
from app.settings import Settings

KEY = "sk-proj-abcdefghijkl"
SID = "AC" + "0" * 32


@pytest.fixture
def settings(empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Settings for a first start; the environment of whoever runs the tests has no say."""
    for field in Settings.model_fields:
        monkeypatch.delenv(field.upper(), raising=False)

    def made(**given: object) -> Settings:
        return Settings.load(_env_file=None, database_url=empty_database_url, data_dir=tmp_path / "data", **given)

    return made


FULL = {"openai_api_key": KEY, "twilio_account_sid": SID, "twilio_auth_token": "first-token-1111"}


async def test_a_first_start_has_an_agent_that_answers_every_number(settings):
    async with open_store(settings()) as opened:
        number = opened.store.number("+15551234567")
        assert number is not None
        assert opened.store.agent(number.agent).provider == "openai"
        assert [(row.section, row.name) for row in opened.store.rows()] == [("agent", "default"), ("number", "default")]
        assert opened.store.warnings() == ["agent/default uses openai/default, which is not set"]


async def test_the_environment_is_written_where_the_row_is_missing(settings):
    async with open_store(settings(**FULL)) as opened:
        assert opened.store.openai().openai_api_key.get_secret_value() == KEY
        assert opened.store.twilio().auth_tokens[0].get_secret_value() == "first-token-1111"


async def test_a_second_start_changes_nothing_and_says_nothing(settings):
    async with open_store(settings(**FULL)) as opened:
        before = opened.store.rows()
    with capture_logs() as lines:
        async with open_store(settings(**FULL)) as opened:
            assert opened.store.rows() == before
    assert lines == []


async def test_what_the_operator_deleted_stays_deleted(settings):
    async with open_store(settings(**FULL)) as opened:
        for section in ("number", "agent", "openai"):
            await opened.store.delete(section, "default", by="operator")
    async with open_store(settings(**FULL)) as opened:
        assert [row.section for row in opened.store.rows()] == ["twilio"]


async def test_an_agent_of_the_operators_own_is_enough(settings):
    async with open_store(settings()) as opened:
        await opened.store.delete("number", "default", by="operator")
        await opened.store.put("agent", "mine", {}, by="operator")
        await opened.store.delete("agent", "default", by="operator")
    async with open_store(settings()) as opened:
        assert [row.name for row in opened.store.rows()] == ["mine"]


async def test_another_value_in_the_environment_is_one_warning_each_without_the_value(settings):
    async with open_store(settings(**FULL)):
        pass
    other = {
        "openai_api_key": "sk-another-secret",
        "twilio_account_sid": "AC" + "1" * 32,
        "twilio_auth_token": "another-token",
    }
    with capture_logs() as lines:
        async with open_store(settings(**other)) as opened:
            assert opened.store.openai().openai_api_key.get_secret_value() == KEY

    assert [line["variable"] for line in lines] == ["OPENAI_API_KEY", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"]
    assert "another" not in str(lines)


async def test_a_wrong_environment_value_refuses_the_start_by_name(settings):
    with pytest.raises(SettingsError, match="account_sid"):
        async with open_store(settings(**FULL | {"twilio_account_sid": "wrong"})):
            pass


async def test_two_processes_that_start_first_together_agree(settings):
    async def start() -> int:
        async with open_store(settings(**FULL)) as opened:
            return len(opened.store.rows())

    assert await asyncio.gather(start(), start()) == [4, 4]


async def test_a_data_directory_that_cannot_be_is_refused_by_its_name(tmp_path):
    file = tmp_path / "file"
    file.write_text("no directory")
    with pytest.raises(SettingsError, match="DATA_DIR"):
        async with open_store(Settings.load(_env_file=None, data_dir=file)):
            pass


@pytest.mark.parametrize("url", ["postgresql://x:y@127.0.0.1:1/z", "postgresql://x:y@127.0.0.1:1/z?colour=blue"])
async def test_a_database_that_cannot_be_used_is_refused_by_its_name(tmp_path, url):
    with pytest.raises(SettingsError, match="DATABASE_URL"):
        async with open_store(Settings.load(_env_file=None, data_dir=tmp_path, database_url=url)):
            pass
