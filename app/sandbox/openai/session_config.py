"""The effective configuration of a session: the API's defaults, changed by what clients send."""

from collections.abc import Mapping
from typing import Any

from app.sandbox.openai.config_models import SemanticVad, ServerVad, TranscriptionVad
from app.sandbox.openai.refusal import Refusal
from app.sandbox.openai.sound import Format
from app.sandbox.openai.vad import VadSettings

Config = dict[str, Any]
_NODES = ("audio", "input", "output")
"""The objects whose fields change one by one; every other value is replaced as a whole."""
_DETECTORS: dict[tuple[str, str], type[ServerVad | SemanticVad | TranscriptionVad]] = {
    ("realtime", "server_vad"): ServerVad,
    ("realtime", "semantic_vad"): SemanticVad,
    ("transcription", "server_vad"): TranscriptionVad,
}
SEMANTIC_SILENCE_MS = {"low": 1600, "medium": 800, "auto": 800, "high": 400}
"""A fifth of the longest waits that the API documents (8, 4 and 2 s): our callers always finish their sentences."""


def default_config(model: str) -> Config:
    """What a new session is like before its client says anything."""
    return {
        "type": "realtime",
        "model": model,
        "output_modalities": ["audio"],
        "instructions": "You are a helpful, witty, and friendly AI. Talk quickly.",
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "truncation": "auto",
        "prompt": None,
        "include": None,
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 24000},
                "transcription": None,
                "noise_reduction": None,
                "turn_detection": ServerVad(type="server_vad").model_dump(),
            },
            "output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "marin", "speed": 1.0},
        },
    }


def default_transcription_config() -> Config:
    """The same for a session that only writes down what it hears."""
    audio_input: Config = default_config("")["audio"]["input"]
    detector = TranscriptionVad(type="server_vad").model_dump()
    return {"type": "transcription", "audio": {"input": audio_input | {"turn_detection": detector}}, "include": None}


def updated(config: Config, update: Mapping[str, Any], *, has_spoken: bool) -> Config:
    """The configuration after a schema-valid update; raises `Refusal` for what may not change any more."""
    if update.get("type", config["type"]) != config["type"]:
        raise Refusal("invalid_value", "The type of a session cannot be changed.", "session.type")
    merged = _merged(config, update, config["type"])
    if merged["type"] == "realtime":
        _check_changes(config, merged, update, has_spoken=has_spoken)
    transcription, detector = (merged["audio"]["input"][name] for name in ("transcription", "turn_detection"))
    if transcription and transcription["model"] == "gpt-realtime-whisper" and detector is not None:
        message = "gpt-realtime-whisper needs 'turn_detection' to be null."
        raise Refusal("invalid_value", message, "session.audio.input.transcription.model")
    return merged


def _check_changes(config: Config, merged: Config, update: Mapping[str, Any], *, has_spoken: bool) -> None:
    if merged["model"] != config["model"]:
        raise Refusal("invalid_value", "The model of a session cannot be changed.", "session.model")
    if has_spoken and merged["audio"]["output"]["voice"] != config["audio"]["output"]["voice"]:
        message = "Cannot update a conversation's voice if assistant audio is present."
        raise Refusal("cannot_update_voice", message, "session.audio.output.voice")
    if config["tracing"] is not None and merged["tracing"] != config["tracing"]:
        raise Refusal("invalid_value", "Tracing cannot be changed once it is enabled.", "session.tracing")
    for field in {"reasoning", "parallel_tool_calls"} & update.keys():
        if not config["model"].startswith("gpt-realtime-2"):
            message = f"'{field}' is not supported by {config['model']}."
            raise Refusal("invalid_value", message, f"session.{field}")


def object_of(config: Config) -> str:
    """The kind of object that such a session is."""
    return "realtime.session" if config["type"] == "realtime" else "realtime.transcription_session"


def shown(config: Config) -> Config:
    """The configuration as clients get to see it: a token that was given for an MCP server is never returned."""
    if "tools" not in config:
        return config
    tools = [{name: value for name, value in tool.items() if name != "authorization"} for tool in config["tools"]]
    return config | {"tools": tools}


def holds(update: Mapping[str, Any], param: str | None) -> bool:
    """Whether the update has that field, named from `session` down; every update has the whole."""
    value: Any = {"session": update}
    for key in (param or "session").split("."):
        if not isinstance(value, Mapping) or key not in value:
            return False
        value = value[key]
    return True


def _merged(config: Mapping[str, Any], update: Mapping[str, Any], kind: str) -> Config:
    merged = dict(config)
    for name, value in update.items():
        if name in _NODES:
            merged[name] = _merged(config[name], value, kind)
        elif name == "turn_detection" and value is not None:
            merged[name] = _DETECTORS[kind, value["type"]].model_validate(value).model_dump()
        elif name == "noise_reduction" and value is not None:
            kept = (config[name] or {}).get("strength", 1)
            merged[name] = {"strength": kept} | value
        else:
            merged[name] = value
    return merged


def input_format(config: Config) -> Format:
    """The format of the caller's audio."""
    form: Format = config["audio"]["input"]["format"]["type"]
    return form


def vad_settings(config: Config) -> VadSettings | None:
    """How turns are detected; None where the client commits them itself."""
    detector = config["audio"]["input"]["turn_detection"]
    if detector is None:
        return None
    if detector["type"] == "semantic_vad":
        return VadSettings(silence_duration_ms=SEMANTIC_SILENCE_MS[detector["eagerness"]])
    return VadSettings(
        prefix_padding_ms=detector["prefix_padding_ms"],
        silence_duration_ms=detector["silence_duration_ms"],
        idle_timeout_ms=detector.get("idle_timeout_ms"),
    )


def with_format(config: Config, form: Format) -> Config:
    """The same with another output format, as a server would have it that does not grant what was asked."""
    shape = {"type": form} | ({"rate": 24000} if form == "audio/pcm" else {})
    return _merged(config, {"audio": {"output": {"format": shape}}}, config["type"])
