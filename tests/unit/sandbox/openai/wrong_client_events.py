"""Wrong client events, each with the code and the field with which it is refused."""

from typing import Any

UNKNOWN, MISSING = "unknown_parameter", "missing_required_parameter"
VALUE, TYPE, LONG = "invalid_value", "invalid_type", "string_above_max_length"


def update(**session: Any) -> dict[str, Any]:
    return {"type": "session.update", "session": {"type": "realtime", **session}}


def given(**audio_input: Any) -> dict[str, Any]:
    return update(audio={"input": audio_input})


def spoken(**audio_output: Any) -> dict[str, Any]:
    return update(audio={"output": audio_output})


def item(**fields: Any) -> dict[str, Any]:
    return {"type": "conversation.item.create", "item": fields}


def message(role: str, *content: Any) -> dict[str, Any]:
    return item(type="message", role=role, content=list(content))


def create(**response: Any) -> dict[str, Any]:
    return {"type": "response.create", "response": response}


def tool(**fields: Any) -> dict[str, Any]:
    return update(tools=[fields])


def mcp(**fields: Any) -> dict[str, Any]:
    return tool(type="mcp", server_label="docs", server_url="https://docs.example.com", **fields)


def heard(**transcription: Any) -> dict[str, Any]:
    return given(transcription=transcription)


def detected(kind: str, **turn_detection: Any) -> dict[str, Any]:
    return given(turn_detection={"type": kind, **turn_detection})


def written_down(**session: Any) -> dict[str, Any]:
    return {"type": "session.update", "session": {"type": "transcription", **session}}


TRUNCATE = {"type": "conversation.item.truncate", "item_id": "item_1", "content_index": 0, "audio_end_ms": 1}
INPUT, OUTPUT = "session.audio.input", "session.audio.output"
WRONG = [
    ({}, MISSING, "type"),
    ({"type": 3}, VALUE, "type"),
    ({"type": "session.upgrade"}, VALUE, "type"),
    ({"type": "output_audio_buffer.clear"}, VALUE, "type"),
    ({"type": "transcription_session.update", "session": {}}, VALUE, "type"),
    ({"type": "input_audio_buffer.commit", "item_id": "x"}, UNKNOWN, "item_id"),
    ({"type": "input_audio_buffer.append"}, MISSING, "audio"),
    ({"type": "input_audio_buffer.append", "audio": 3}, TYPE, "audio"),
    ({"type": "input_audio_buffer.append", "audio": "", "ms": 20}, UNKNOWN, "ms"),
    ({"type": "input_audio_buffer.clear", "event_id": 4}, TYPE, "event_id"),
    ({"type": "input_audio_buffer.clear", "event_id": None}, TYPE, "event_id"),
    ({"type": "input_audio_buffer.clear", "event_id": "x" * 513}, LONG, "event_id"),
    # session
    ({"type": "session.update"}, MISSING, "session"),
    ({"type": "session.update", "session": []}, TYPE, "session"),
    ({"type": "session.update", "session": {}}, MISSING, "session.type"),
    ({"type": "session.update", "session": {"type": "translation"}}, VALUE, "session.type"),
    (update(voice="marin"), UNKNOWN, "session.voice"),
    (update(modalities=["text", "audio"]), UNKNOWN, "session.modalities"),
    (update(temperature=0.8), UNKNOWN, "session.temperature"),
    (update(input_audio_format="g711_ulaw"), UNKNOWN, "session.input_audio_format"),
    (update(output_audio_format="g711_ulaw"), UNKNOWN, "session.output_audio_format"),
    (update(input_audio_transcription={"model": "whisper-1"}), UNKNOWN, "session.input_audio_transcription"),
    (update(turn_detection={"type": "server_vad"}), UNKNOWN, "session.turn_detection"),
    (update(voice_activity_detection=None), UNKNOWN, "session.voice_activity_detection"),
    (update(max_response_output_tokens=100), UNKNOWN, "session.max_response_output_tokens"),
    (update(speed=1), UNKNOWN, "session.speed"),
    (update(id="sess_1"), UNKNOWN, "session.id"),
    (update(expires_at=1), UNKNOWN, "session.expires_at"),
    (update(client_secret={"value": "ek_1"}), UNKNOWN, "session.client_secret"),
    (update(model=3), TYPE, "session.model"),
    (update(instructions=None), TYPE, "session.instructions"),
    (update(instructions=["a"]), TYPE, "session.instructions"),
    (update(output_modalities=["text", "audio"]), VALUE, "session.output_modalities"),
    (update(output_modalities=[]), VALUE, "session.output_modalities"),
    (update(output_modalities="audio"), TYPE, "session.output_modalities"),
    (update(output_modalities=["video"]), VALUE, "session.output_modalities[0]"),
    (update(max_output_tokens=0), VALUE, "session.max_output_tokens"),
    (update(max_output_tokens="lots"), VALUE, "session.max_output_tokens"),
    (update(max_output_tokens=None), VALUE, "session.max_output_tokens"),
    (update(tools=None), TYPE, "session.tools"),
    (update(tools={"type": "function", "name": "x"}), TYPE, "session.tools"),
    (update(tool_choice="some"), VALUE, "session.tool_choice"),
    (update(tool_choice={"type": "function"}), MISSING, "session.tool_choice.name"),
    (update(tool_choice={"type": "function", "function": {"name": "x"}}), MISSING, "session.tool_choice.name"),
    (update(tool_choice={"name": "x"}), MISSING, "session.tool_choice.type"),
    (update(tool_choice={"type": "mcp"}), MISSING, "session.tool_choice.server_label"),
    (update(tool_choice={"type": "mcp", "server_label": "x", "tool": "y"}), UNKNOWN, "session.tool_choice.tool"),
    (update(tool_choice={"type": "tool", "name": "x"}), VALUE, "session.tool_choice.type"),
    (update(parallel_tool_calls="yes"), TYPE, "session.parallel_tool_calls"),
    (update(reasoning=None), TYPE, "session.reasoning"),
    (update(reasoning={"effort": "extreme"}), VALUE, "session.reasoning.effort"),
    (update(truncation="never"), VALUE, "session.truncation"),
    (update(truncation={"type": "retention_ratio"}), MISSING, "session.truncation.retention_ratio"),
    (update(truncation={"type": "retention_ratio", "retention_ratio": 2}), VALUE, "session.truncation.retention_ratio"),
    (update(truncation={"type": "last", "retention_ratio": 0.5}), VALUE, "session.truncation.type"),
    (
        update(truncation={"type": "retention_ratio", "retention_ratio": 0.8, "token_limits": {}}),
        MISSING,
        "session.truncation.token_limits.post_instructions",
    ),
    (update(truncation=None), VALUE, "session.truncation"),
    (update(tracing={"workflow_name": 3}), TYPE, "session.tracing.workflow_name"),
    (update(tracing={"metadata": "x"}), TYPE, "session.tracing.metadata"),
    (update(tracing="on"), VALUE, "session.tracing"),
    (update(tracing={"workflow": "x"}), UNKNOWN, "session.tracing.workflow"),
    (update(include=["everything"]), VALUE, "session.include[0]"),
    (update(include="item.input_audio_transcription.logprobs"), TYPE, "session.include"),
    (update(reasoning={}), MISSING, "session.reasoning.effort"),
    (update(prompt={"version": "1"}), MISSING, "session.prompt.id"),
    (update(prompt={"id": "pmpt_1", "variables": []}), TYPE, "session.prompt.variables"),
    # a session that only transcribes
    (written_down(instructions=""), UNKNOWN, "session.instructions"),
    (written_down(tools=[]), UNKNOWN, "session.tools"),
    (written_down(model="gpt-transcribe"), UNKNOWN, "session.model"),
    (written_down(audio={"output": {"voice": "marin"}}), UNKNOWN, "session.audio.output"),
    (
        written_down(audio={"input": {"turn_detection": {"type": "semantic_vad"}}}),
        VALUE,
        f"{INPUT}.turn_detection.type",
    ),
    (
        written_down(audio={"input": {"turn_detection": {"type": "server_vad", "create_response": True}}}),
        UNKNOWN,
        f"{INPUT}.turn_detection.create_response",
    ),
    (written_down(audio={"input": {"transcription": {}}}), MISSING, f"{INPUT}.transcription.model"),
    # audio
    (update(audio=None), TYPE, "session.audio"),
    (update(audio={"format": "pcmu"}), UNKNOWN, "session.audio.format"),
    (given(format="g711_ulaw"), TYPE, f"{INPUT}.format"),
    (given(format={"type": "g711_ulaw"}), VALUE, f"{INPUT}.format.type"),
    (given(format={"type": "audio/pcmu", "rate": 8000}), UNKNOWN, f"{INPUT}.format.rate"),
    (given(format={"type": "audio/pcm"}), MISSING, f"{INPUT}.format.rate"),
    (given(format={"type": "audio/pcm", "rate": 16000}), VALUE, f"{INPUT}.format.rate"),
    (given(format={"rate": 24000}), MISSING, f"{INPUT}.format.type"),
    (given(voice="marin"), UNKNOWN, f"{INPUT}.voice"),
    (given(noise_reduction={"type": "loud"}), VALUE, f"{INPUT}.noise_reduction.type"),
    (given(noise_reduction={}), MISSING, f"{INPUT}.noise_reduction.type"),
    (given(noise_reduction="near_field"), TYPE, f"{INPUT}.noise_reduction"),
    (given(noise_reduction={"type": "far_field", "strength": "much"}), TYPE, f"{INPUT}.noise_reduction.strength"),
    (given(noise_reduction={"type": "near_field", "level": 1}), UNKNOWN, f"{INPUT}.noise_reduction.level"),
    (given(format=None), TYPE, f"{INPUT}.format"),
    (heard(model=None), TYPE, f"{INPUT}.transcription.model"),
    (heard(model="gpt-transcribe", languages="en"), TYPE, f"{INPUT}.transcription.languages"),
    (heard(model="gpt-transcribe", keywords=["a\nb"]), VALUE, f"{INPUT}.transcription.keywords[0]"),
    (heard(model="gpt-4o-transcribe", keywords=["Parley"]), VALUE, f"{INPUT}.transcription"),
    (heard(model="gpt-4o-transcribe-diarize", prompt="A call."), VALUE, f"{INPUT}.transcription"),
    (heard(model="gpt-realtime-whisper", prompt="A call."), VALUE, f"{INPUT}.transcription"),
    (heard(model="gpt-live-transcribe", delay="soon"), VALUE, f"{INPUT}.transcription.delay"),
    (heard(model="whisper-1", enabled=True), UNKNOWN, f"{INPUT}.transcription.enabled"),
    (given(transcription={"language": "en"}), MISSING, f"{INPUT}.transcription.model"),
    (given(transcription={"model": "gpt-transcribe", "temperature": 0}), UNKNOWN, f"{INPUT}.transcription.temperature"),
    (
        given(transcription={"model": "gpt-transcribe", "keywords": ["<b>"]}),
        VALUE,
        f"{INPUT}.transcription.keywords[0]",
    ),
    (
        given(transcription={"model": "gpt-transcribe", "language": "en", "languages": []}),
        VALUE,
        f"{INPUT}.transcription",
    ),
    (given(transcription={"model": "whisper-1", "languages": ["en"]}), VALUE, f"{INPUT}.transcription"),
    (given(turn_detection={"type": "none"}), VALUE, f"{INPUT}.turn_detection.type"),
    (given(turn_detection="server_vad"), TYPE, f"{INPUT}.turn_detection"),
    (given(turn_detection={"type": "server_vad", "threshold": 3}), VALUE, f"{INPUT}.turn_detection.threshold"),
    (given(turn_detection={"type": "server_vad", "eagerness": "low"}), UNKNOWN, f"{INPUT}.turn_detection.eagerness"),
    (
        given(turn_detection={"type": "server_vad", "silence_duration_ms": "1"}),
        TYPE,
        f"{INPUT}.turn_detection.silence_duration_ms",
    ),
    (
        given(turn_detection={"type": "server_vad", "idle_timeout_ms": 100}),
        VALUE,
        f"{INPUT}.turn_detection.idle_timeout_ms",
    ),
    (
        given(turn_detection={"type": "semantic_vad", "idle_timeout_ms": 6000}),
        UNKNOWN,
        f"{INPUT}.turn_detection.idle_timeout_ms",
    ),
    (detected("server_vad", create_response="no"), TYPE, f"{INPUT}.turn_detection.create_response"),
    (detected("server_vad", interrupt_response=None), TYPE, f"{INPUT}.turn_detection.interrupt_response"),
    (detected("server_vad", prefix_padding_ms=-1), VALUE, f"{INPUT}.turn_detection.prefix_padding_ms"),
    (detected("server_vad", silence_duration_ms=0.5), TYPE, f"{INPUT}.turn_detection.silence_duration_ms"),
    (detected("server_vad", idle_timeout_ms=30001), VALUE, f"{INPUT}.turn_detection.idle_timeout_ms"),
    (detected("semantic_vad", eagerness="eager"), VALUE, f"{INPUT}.turn_detection.eagerness"),
    (detected("semantic_vad", threshold=0.5), UNKNOWN, f"{INPUT}.turn_detection.threshold"),
    (detected("semantic_vad", silence_duration_ms=1), UNKNOWN, f"{INPUT}.turn_detection.silence_duration_ms"),
    (spoken(format={"type": "audio/pcma", "rate": 8000}), UNKNOWN, f"{OUTPUT}.format.rate"),
    (spoken(format={"type": "audio/opus"}), VALUE, f"{OUTPUT}.format.type"),
    (spoken(voice=None), TYPE, f"{OUTPUT}.voice"),
    (spoken(voice={"id": "voice_1", "name": "me"}), UNKNOWN, f"{OUTPUT}.voice.name"),
    (spoken(speed=0.2), VALUE, f"{OUTPUT}.speed"),
    (spoken(speed="fast"), TYPE, f"{OUTPUT}.speed"),
    (spoken(turn_detection=None), UNKNOWN, f"{OUTPUT}.turn_detection"),
    (spoken(format={"type": "audio/pcmu", "rate": 8000}), UNKNOWN, f"{OUTPUT}.format.rate"),
    (spoken(voice={"name": "me"}), MISSING, f"{OUTPUT}.voice.id"),
    (spoken(voice=""), VALUE, f"{OUTPUT}.voice"),
    (spoken(speed=3), VALUE, f"{OUTPUT}.speed"),
    # tools
    (tool(name="x"), MISSING, "session.tools[0].type"),
    (tool(type="function"), MISSING, "session.tools[0].name"),
    (tool(type="function", function={"name": "x"}), MISSING, "session.tools[0].name"),
    (tool(type="function", name="x", strict=True), UNKNOWN, "session.tools[0].strict"),
    (tool(type="function", name="two words"), VALUE, "session.tools[0].name"),
    (tool(type="web_search"), VALUE, "session.tools[0].type"),
    (tool(type="mcp", server_label="x"), VALUE, "session.tools[0]"),
    (tool(type="mcp", server_url="https://x"), MISSING, "session.tools[0].server_label"),
    (
        tool(type="mcp", server_label="x", server_url="y", require_approval="maybe"),
        VALUE,
        "session.tools[0].require_approval",
    ),
    (tool(type="mcp", server_label="x", server_url="y", connector_id="connector_gmail"), VALUE, "session.tools[0]"),
    (tool(type="mcp", server_label="x", connector_id="connector_fax"), VALUE, "session.tools[0].connector_id"),
    (mcp(parameters={}), UNKNOWN, "session.tools[0].parameters"),
    (mcp(headers={"x": 1}), TYPE, "session.tools[0].headers.x"),
    (mcp(authorization=["x"]), TYPE, "session.tools[0].authorization"),
    (mcp(allowed_tools="search"), TYPE, "session.tools[0].allowed_tools"),
    (mcp(allowed_tools=[1]), TYPE, "session.tools[0].allowed_tools[0]"),
    (mcp(allowed_tools={"names": ["search"]}), UNKNOWN, "session.tools[0].allowed_tools.names"),
    (mcp(allowed_tools={"read_only": "yes"}), TYPE, "session.tools[0].allowed_tools.read_only"),
    (mcp(require_approval={"sometimes": {}}), UNKNOWN, "session.tools[0].require_approval.sometimes"),
    (mcp(require_approval={"always": ["search"]}), TYPE, "session.tools[0].require_approval.always"),
    (
        mcp(require_approval={"never": {"tool_names": "search"}}),
        TYPE,
        "session.tools[0].require_approval.never.tool_names",
    ),
    (mcp(allowed_callers=["anyone"]), VALUE, "session.tools[0].allowed_callers[0]"),
    (mcp(defer_loading="no"), TYPE, "session.tools[0].defer_loading"),
    (tool(type="function", name="x", parameters="{}"), TYPE, "session.tools[0].parameters"),
    (tool(type="function", name="x" * 65), VALUE, "session.tools[0].name"),
    (update(tools=[{"type": "function", "name": "x"}, {"type": "function"}]), MISSING, "session.tools[1].name"),
    # items
    ({"type": "conversation.item.create"}, MISSING, "item"),
    (item(role="user"), MISSING, "item.type"),
    (item(type="letter"), VALUE, "item.type"),
    (item(type="message", content=[]), MISSING, "item.role"),
    (item(type="message", role="caller", content=[]), VALUE, "item.role"),
    (item(type="message", role="user"), MISSING, "item.content"),
    (item(type="message", role="user", content=[], id="x" * 33), LONG, "item.id"),
    (item(type="message", role="user", content=[], name="x"), UNKNOWN, "item.name"),
    (message("user", {"type": "text", "text": "x"}), VALUE, "item.content[0].type"),
    (message("user", {"type": "input_text"}), MISSING, "item.content[0].text"),
    (message("user", {"type": "input_image", "image_url": "https://x/y.png"}), VALUE, "item.content[0].image_url"),
    (message("system", {"type": "input_audio", "audio": ""}), VALUE, "item.content[0].type"),
    (message("assistant", {"type": "output_audio", "audio": ""}), VALUE, "item.content[0].type"),
    (
        message("user", {"type": "input_image", "image_url": "data:image/gif;base64,R0lG"}),
        VALUE,
        "item.content[0].image_url",
    ),
    (
        message("user", {"type": "input_image", "image_url": "data:image/png;base64,iVBO", "detail": "fine"}),
        VALUE,
        "item.content[0].detail",
    ),
    (message("user", {"type": "input_image"}), MISSING, "item.content[0].image_url"),
    (message("user", {"type": "image_url", "image_url": "x"}), VALUE, "item.content[0].type"),
    (message("user", {"type": "output_text", "text": "x"}), VALUE, "item.content[0].type"),
    (message("user", {"type": "input_text", "text": "x"}, {"type": "input_audio"}), MISSING, "item.content[1].audio"),
    (message("user", "words"), TYPE, "item.content[0]"),
    (message("system", {"type": "input_image", "image_url": "x"}), VALUE, "item.content[0].type"),
    (message("assistant", {"type": "input_text", "text": "x"}), VALUE, "item.content[0].type"),
    (message("assistant", {"type": "text", "text": "x"}), VALUE, "item.content[0].type"),
    (item(type="message", role="user", content=[], status="done"), VALUE, "item.status"),
    (item(type="message", role="user", content=[], id=""), VALUE, "item.id"),
    (item(type="mcp_approval_response", approve=True), MISSING, "item.approval_request_id"),
    (item(type="mcp_approval_response", approval_request_id="mcpr_1"), MISSING, "item.approve"),
    (item(type="mcp_approval_response", approval_request_id="mcpr_1", approve="yes"), TYPE, "item.approve"),
    (item(type="mcp_call", server_label="x", name="y", arguments=""), VALUE, "item.type"),
    (item(type="function_call", arguments="{}"), MISSING, "item.name"),
    (item(type="function_call_output", output="x"), MISSING, "item.call_id"),
    (item(type="function_call_output", call_id="x", output={"a": 1}), TYPE, "item.output"),
    (item(type="function_call_output", call_id="x" * 33, output=""), LONG, "item.call_id"),
    (item(type="function_call", name="x", arguments={}), TYPE, "item.arguments"),
    (item(type="function_call_output", call_id="x", output="", name="y"), UNKNOWN, "item.name"),
    (message("user") | {"previous_item_id": 3}, TYPE, "previous_item_id"),
    ({"type": "conversation.item.delete"}, MISSING, "item_id"),
    ({"type": "conversation.item.delete", "item_id": None}, TYPE, "item_id"),
    ({"type": "conversation.item.retrieve"}, MISSING, "item_id"),
    ({"type": "conversation.item.truncate", "item_id": "x", "content_index": 0}, MISSING, "audio_end_ms"),
    ({"type": "conversation.item.truncate", "content_index": 0, "audio_end_ms": 0}, MISSING, "item_id"),
    ({"type": "conversation.item.retrieve", "item_id": 1}, TYPE, "item_id"),
    (TRUNCATE | {"content_index": 1}, VALUE, "content_index"),
    (TRUNCATE | {"audio_end_ms": 1.5}, TYPE, "audio_end_ms"),
    (TRUNCATE | {"audio_end_ms": -1}, VALUE, "audio_end_ms"),
    (TRUNCATE | {"audio_end_ms": "100"}, TYPE, "audio_end_ms"),
    # responses
    (create(modalities=["audio"]), UNKNOWN, "response.modalities"),
    (create(voice="marin"), UNKNOWN, "response.voice"),
    (create(temperature=1), UNKNOWN, "response.temperature"),
    (create(output_audio_format="g711_ulaw"), UNKNOWN, "response.output_audio_format"),
    (create(max_response_output_tokens=100), UNKNOWN, "response.max_response_output_tokens"),
    (create(max_output_tokens=0), VALUE, "response.max_output_tokens"),
    (create(tools=[{"type": "function"}]), MISSING, "response.tools[0].name"),
    (create(tools=[{"type": "mcp", "server_label": "x"}]), VALUE, "response.tools[0]"),
    (create(tool_choice="some"), VALUE, "response.tool_choice"),
    (create(tool_choice={"type": "function"}), MISSING, "response.tool_choice.name"),
    (create(reasoning={"effort": "none"}), VALUE, "response.reasoning.effort"),
    (create(parallel_tool_calls=1), TYPE, "response.parallel_tool_calls"),
    (create(turn_detection=None), UNKNOWN, "response.turn_detection"),
    (create(audio={"output": {"format": {"type": "audio/pcm"}}}), MISSING, "response.audio.output.format.rate"),
    (create(audio={"output": {"voice": {}}}), MISSING, "response.audio.output.voice.id"),
    (create(metadata=[]), TYPE, "response.metadata"),
    (create(metadata={"k" * 65: ""}), LONG, "response.metadata." + "k" * 65),
    (create(input={}), TYPE, "response.input"),
    (create(input=[{"type": "message", "content": []}]), MISSING, "response.input[0].role"),
    (create(input=[{"type": "item_reference", "id": "x", "role": "user"}]), UNKNOWN, "response.input[0].role"),
    (create(conversation=None), VALUE, "response.conversation"),
    ({"type": "response.create", "response": "now"}, TYPE, "response"),
    ({"type": "response.cancel", "item_id": "x"}, UNKNOWN, "item_id"),
    (create(conversation="other"), VALUE, "response.conversation"),
    (create(audio={"output": {"speed": 1.2}}), UNKNOWN, "response.audio.output.speed"),
    (create(audio={"input": {}}), MISSING, "response.audio.output"),
    (create(instructions=None), TYPE, "response.instructions"),
    (create(metadata={"a": 1}), TYPE, "response.metadata.a"),
    (create(metadata={"a": "x" * 513}), LONG, "response.metadata.a"),
    (create(metadata={str(n): "" for n in range(17)}), VALUE, "response.metadata"),
    (create(input=[{"type": "item_reference"}]), MISSING, "response.input[0].id"),
    (create(output_modalities=["audio", "text"]), VALUE, "response.output_modalities"),
    ({"type": "response.cancel", "response_id": 7}, TYPE, "response_id"),
]
