"""The effective configuration of a session: the API's defaults, changed by what clients send."""

from collections.abc import Mapping
from typing import Any

from app.sandbox.openai.config_models import SemanticVad, ServerVad
from app.sandbox.openai.refusal import Refusal
from app.sandbox.openai.sound import Format
from app.sandbox.openai.vad import VadSettings

Config = dict[str, Any]
_NODES = ("audio", "input", "output")
"""The objects whose fields change one by one; every other value is replaced as a whole."""
_DETECTORS: dict[str, type[ServerVad | SemanticVad]] = {"server_vad": ServerVad, "semantic_vad": SemanticVad}


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


def updated(config: Config, update: Mapping[str, Any], *, has_spoken: bool) -> Config:
    """The configuration after a schema-valid update; raises `Refusal` for what may not change any more."""
    merged = _merged(config, update)
    if merged["model"] != config["model"]:
        raise Refusal("invalid_value", "The model of a session cannot be changed.", "session.model")
    if merged["type"] != config["type"]:
        raise Refusal("invalid_value", "The type of a session cannot be changed.", "session.type")
    if has_spoken and merged["audio"]["output"]["voice"] != config["audio"]["output"]["voice"]:
        message = "Cannot update a conversation's voice if assistant audio is present."
        raise Refusal("cannot_update_voice", message, "session.audio.output.voice")
    if config["tracing"] is not None and merged["tracing"] != config["tracing"]:
        raise Refusal("invalid_value", "Tracing cannot be changed once it is enabled.", "session.tracing")
    for field in {"reasoning", "parallel_tool_calls"} & update.keys():
        if not config["model"].startswith("gpt-realtime-2"):
            message = f"'{field}' is not supported by {config['model']}."
            raise Refusal("invalid_value", message, f"session.{field}")
    transcription, detector = (merged["audio"]["input"][name] for name in ("transcription", "turn_detection"))
    if transcription and transcription["model"] == "gpt-realtime-whisper" and detector is not None:
        message = "gpt-realtime-whisper needs 'turn_detection' to be null."
        raise Refusal("invalid_value", message, "session.audio.input.transcription.model")
    return merged


def holds(update: Mapping[str, Any], param: str | None) -> bool:
    """Whether the update has that field, named from `session` down; every update has the whole."""
    value: Any = {"session": update}
    for key in (param or "session").split("."):
        if not isinstance(value, Mapping) or key not in value:
            return False
        value = value[key]
    return True


def _merged(config: Mapping[str, Any], update: Mapping[str, Any]) -> Config:
    merged = dict(config)
    for name, value in update.items():
        if name in _NODES:
            merged[name] = _merged(config[name], value)
        elif name == "turn_detection" and value is not None:
            merged[name] = _DETECTORS[value["type"]].model_validate(value).model_dump()
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


def output_format(config: Config) -> Format:
    """The format of the agent's audio."""
    form: Format = config["audio"]["output"]["format"]["type"]
    return form


def vad_settings(config: Config) -> VadSettings | None:
    """How turns are detected; None where the client commits them itself. Semantic VAD listens like the other one."""
    detector = config["audio"]["input"]["turn_detection"]
    if detector is None:
        return None
    if detector["type"] == "semantic_vad":
        return VadSettings()
    return VadSettings(
        prefix_padding_ms=detector["prefix_padding_ms"],
        silence_duration_ms=detector["silence_duration_ms"],
        idle_timeout_ms=detector["idle_timeout_ms"],
    )


def with_format(config: Config, form: Format) -> Config:
    """The same with another output format, as a server would have it that does not grant what was asked."""
    shape = {"type": form} | ({"rate": 24000} if form == "audio/pcm" else {})
    return _merged(config, {"audio": {"output": {"format": shape}}})
