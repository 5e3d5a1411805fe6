"""The names under which the provider is known."""

import inspect

import app.openai
from app.conf.models import Known, OpenAICoreConf, parse
from app.openai import (
    OPENAI_REALTIME_BASE_URL,
    OPENAI_TRANSCRIPTION_URL,
    OpenAIRealtimeSessionReceiver,
    OpenAIRealtimeSessionSender,
    realtime_url,
)
from app.realtime.session import RealtimeSessionReceiver, RealtimeSessionSender


def members(kind: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(kind) if not name.startswith("_")} | {
        name for name in ("__aiter__",) if hasattr(kind, name)
    }


def test_r0_46_one_typed_row_of_core_conf_holds_the_key():
    conf = parse("openai", "default", {"openai_api_key": "sk-secret", "project": "proj_1"}, Known({}))
    assert isinstance(conf, OpenAICoreConf)
    assert conf.openai_api_key.get_secret_value() == "sk-secret"
    assert "sk-secret" not in repr(conf)


def test_r0_47_r0_48_the_addresses_are_constants_that_can_be_overridden():
    assert OPENAI_REALTIME_BASE_URL == "wss://api.openai.com/v1/realtime"
    assert OPENAI_TRANSCRIPTION_URL == "https://api.openai.com/v1/audio/transcriptions"
    assert realtime_url(OPENAI_REALTIME_BASE_URL, "m") == "wss://api.openai.com/v1/realtime?model=m"
    assert realtime_url("http://127.0.0.1:9/v1", "m") == "ws://127.0.0.1:9/v1/realtime?model=m"


def test_r0_49_the_room_offers_its_names_in_one_place():
    offered = {
        "create_openai_realtime_session", "OpenAIRealtimeSessionSender", "OpenAIRealtimeSessionReceiver",
        "OpenaiRealtimeSessionConfig", "OpenaiRealtimeSessionConfigAudio", "OpenaiRealtimeTool",
        "OPENAI_REALTIME_BASE_URL", "OPENAI_TRANSCRIPTION_URL",
    }  # fmt: skip
    assert offered <= set(app.openai.__all__)
    assert all(hasattr(app.openai, name) for name in offered)


def test_r0_10_r0_13_the_two_ends_have_everything_a_provider_neutral_call_asks_for():
    assert members(RealtimeSessionSender) <= members(OpenAIRealtimeSessionSender)
    assert members(RealtimeSessionReceiver) <= members(OpenAIRealtimeSessionReceiver)
