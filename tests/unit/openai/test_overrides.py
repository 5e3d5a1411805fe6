from app.conf.models import AgentConf
from app.openai import overrides
from app.openai.images import data_url
from app.openai.session_config import compile_session
from app.realtime.session import ResponseOptions, Tool

CONFIGURED = compile_session(AgentConf(voice="marin")).wire()
PCMU = {"type": "audio/pcmu"}
TOOL = Tool("lookup", "Looks up.", {"type": "object"})
PNG = b"\x89PNG\r\n\x1a\n" + bytes(200)
JPEG = b"\xff\xd8\xff" + bytes(200)


def test_r2_13_options_in_the_words_of_the_wire_and_what_is_none_is_not_sent():
    options = ResponseOptions("Be brief.", "text", "cedar", [TOOL], "lookup", 100, {"a": "b"})
    assert overrides.of_options(options) == {
        "instructions": "Be brief.",
        "output_modalities": ["text"],
        "audio": {"output": {"voice": "cedar"}},
        "tools": [{"type": "function", "name": "lookup", "description": "Looks up.", "parameters": {"type": "object"}}],
        "tool_choice": {"type": "function", "name": "lookup"},
        "max_output_tokens": 100,
        "metadata": {"a": "b"},
    }
    assert overrides.of_options(ResponseOptions()) == {}
    assert overrides.of_options(ResponseOptions(tools=[], tool_choice="none")) == {"tools": [], "tool_choice": "none"}


def test_r2_13_a_responses_voice_counts_until_the_agent_has_spoken_and_its_format_never():
    wanted = {"tool_choice": "none", "audio": {"output": {"voice": "cedar", "format": {"type": "audio/pcm"}}}}
    voice = {"tool_choice": "none", "audio": {"output": {"voice": "cedar"}}}
    assert overrides.for_response(wanted, has_spoken=False) == voice
    assert overrides.for_response(wanted, has_spoken=True) == {"tool_choice": "none"}


def test_every_update_carries_the_phones_format_and_neither_another_voice_nor_another_model():
    output = {"voice": "cedar", "speed": 1.2, "format": {"type": "audio/pcm", "rate": 24000}}
    changes = {"type": "realtime", "instructions": "New.", "model": "other", "audio": {"output": output}}
    assert overrides.for_session(CONFIGURED, changes) == {
        "type": "realtime",
        "instructions": "New.",
        "audio": {"input": {"format": PCMU}, "output": {"format": PCMU, "speed": 1.2}},
    }


def test_who_is_answered_changes_and_how_turns_are_told_does_not():
    turns = {"type": "semantic_vad", "eagerness": "low", "create_response": True, "interrupt_response": True}
    configured = {"audio": {"input": {"turn_detection": turns}}}
    assert overrides.answering(configured, by_itself=False) == turns | {"create_response": False}
    assert overrides.answering(configured | {"audio": {"input": {"turn_detection": None}}}, by_itself=True) is None


def test_new_functions_leave_the_mcp_servers_in_place():
    server = {"type": "mcp", "server_label": "docs", "server_url": "https://docs.example"}
    configured = {"tools": [{"type": "function", "name": "old"}, server]}
    assert overrides.with_tools(configured, [TOOL]) == [*overrides.functions([TOOL]), server]


def test_r3_30_a_png_or_jpeg_becomes_a_data_url_by_its_own_signature():
    assert str(data_url(PNG)).startswith("data:image/png;base64,iVBOR")
    assert str(data_url(JPEG)).startswith("data:image/jpeg;base64,/9j/")


def test_r3_20_what_is_too_short_or_no_picture_is_none():
    assert data_url(PNG[:99]) is None
    assert data_url(b"GIF89a" + bytes(200)) is None
    assert data_url(b"") is None
