import pytest

from app.errors import SettingsError
from app.settings import Settings


@pytest.fixture(autouse=True)
def _nobodys_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields:
        monkeypatch.delenv(field.upper(), raising=False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUBLIC_URL", "calls.example.com"),
        ("PUBLIC_URL", "http://calls.example.com"),
        ("PUBLIC_URL", "https://calls.example.com/twilio"),
        ("PUBLIC_URL", "https://calls.example.com:port"),
        ("DATABASE_URL", "mysql://me:hidden@db.example.com/parley"),
        ("DATABASE_URL", "postgresql://me:hidden@db.example.com:port/parley"),
        ("SECRET_KEY", "hidden"),
        ("OPENAI_REALTIME_BASE_URL", "api.openai.com"),
        ("OPENAI_REALTIME_BASE_URL", "wss://"),
        ("OPENAI_REALTIME_BASE_URL", "ftp://api.openai.com/v1/realtime"),
        ("TWILIO_API_BASE_URL", "api.twilio.com"),
        ("TWILIO_API_BASE_URL", "https://api.twilio.com:port"),
        ("PORT", "eighty"),
        ("MAX_CALLS", "0"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_a_wrong_setting_is_refused_by_its_name_and_without_its_value(name, value, monkeypatch):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        Settings.load(_env_file=None)
    assert str(refused.value).startswith(f"{name}: ")
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUBLIC_URL", "https://calls.example.com:8443/"),
        ("PUBLIC_URL", "http://127.0.0.1:8000"),
        ("DATABASE_URL", "postgres://me:hidden@db.example.com:5433/parley?sslmode=require"),
        ("OPENAI_REALTIME_BASE_URL", "http://127.0.0.1:9001/v1"),
        ("TWILIO_API_BASE_URL", "https://api.dublin.ie1.twilio.com"),
        ("PUBLIC_URL", ""),
    ],
)
def test_a_right_setting_is_taken(name, value, monkeypatch):
    monkeypatch.setenv(name, value)
    Settings.load(_env_file=None)


def test_every_wrong_setting_is_named_at_once(monkeypatch):
    for name in ("PORT", "MAX_CALLS", "PUBLIC_URL"):
        monkeypatch.setenv(name, "-")
    with pytest.raises(SettingsError) as refused:
        Settings.load(_env_file=None)
    assert [line.partition(":")[0] for line in str(refused.value).splitlines()] == ["PUBLIC_URL", "PORT", "MAX_CALLS"]
