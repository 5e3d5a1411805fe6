"""A session's or a response's old words; in each table the path on the left is today's."""

from collections.abc import Callable, Mapping
from typing import Any

from app.conf.models import Modernised, SemanticVad, ServerVad
from app.openai.constants import UNFIT_VOICES, realtime_model
from app.openai.legacy.moving import MISSING, Moving

INPUT_FORMAT, OUTPUT_FORMAT = "audio.input.format", "audio.output.format"
NOISE_REDUCTION = "audio.input.noise_reduction"
TRANSCRIPTION = "audio.input.transcription"
TURN_DETECTION = "audio.input.turn_detection"
VOICE = "audio.output.voice"

OLD_WORDS: Mapping[str, tuple[str, ...]] = {
    "model": (),
    "output_modalities": ("modalities",),
    INPUT_FORMAT: ("input_audio_format",),
    OUTPUT_FORMAT: ("output_audio_format",),
    NOISE_REDUCTION: ("input_audio_noise_reduction",),
    TRANSCRIPTION: ("input_audio_transcription",),
    TURN_DETECTION: ("turn_detection",),
    VOICE: ("voice",),
    "audio.output.speed": ("speed",),
    "max_output_tokens": ("max_response_output_tokens",),
    "instructions": (),
    "tools": (),
    "tool_choice": (),
    "reasoning.effort": (),
}
SESSION = {path: path for path in OLD_WORDS}
RESPONSE = {path: path for path in ("output_modalities", OUTPUT_FORMAT, VOICE, "max_output_tokens")}

_NULL_IS_OFF = frozenset({NOISE_REDUCTION, TRANSCRIPTION, TURN_DETECTION})
_FORMATS = {
    "pcm16": {"type": "audio/pcm", "rate": 24000},
    "g711_ulaw": {"type": "audio/pcmu"},
    "g711_alaw": {"type": "audio/pcma"},
}
_BETA_MODELS = ("gpt-4o-realtime-preview", "gpt-4o-mini-realtime-preview")
_THE_SERVERS = ("id", "object", "status", "expires_at", "created_at", "client_secret", "ephemeral_key", "webrtc_url")


def session(value: Mapping[str, Any]) -> Modernised:
    """A session in today's shape."""
    moving = unwrapped(value)
    to_places(moving, SESSION)
    return moving.value, moving.warnings


def response(value: Mapping[str, Any]) -> Modernised:
    """What one response has of its own, in today's shape."""
    moving = unwrapped(value)
    to_places(moving, RESPONSE)
    return moving.value, moving.warnings


def unwrapped(value: Mapping[str, Any]) -> Moving:
    """The value on its way, with nothing around its fields."""
    moving = Moving(value)
    moving.unwrap("config")
    moving.unwrap("session")
    _leave_what_the_server_said(moving)
    return moving


def to_places(moving: Moving, places: Mapping[str, str]) -> None:
    """Bring the fields, whatever they are called, to their places: a map from today's paths to where they belong."""
    for path, place in places.items():
        for word in dict.fromkeys((place, path, *OLD_WORDS[path])):
            _bring(moving, word, path, place)
    if TURN_DETECTION in places:
        _bring_vad(moving, places[TURN_DETECTION])
    moving.drop("temperature", "the API has no temperature any more")
    _replace_what_is_gone(moving, places)


def _bring(moving: Moving, word: str, path: str, place: str) -> None:
    taken = moving.take(word)
    if taken is MISSING or (taken is None and path not in _NULL_IS_OFF):
        return
    if word not in {path, place}:
        moving.old = True
        if word != "modalities" and taken != "g711_ulaw":
            moving.warn(word, f"is called {place} today")
    moving.place(place, _TODAY[path](taken) if path in _TODAY else taken, word)


def _bring_vad(moving: Moving, place: str) -> None:
    word = "voice_activity_detection"
    taken = moving.take(word)
    if taken is MISSING or taken is None:
        return
    moving.old = True
    wanted = _turn_detection(taken)
    if moving.placed(place) is MISSING:
        moving.place(place, wanted, word)
        moving.warn(word, f"is called {place} today")
    elif moving.placed(place) != wanted:
        moving.warn(word, f"left out: {place} wins")


def _leave_what_the_server_said(moving: Moving) -> None:
    """What a server answered about a session is nothing that one could ask for."""
    if str(moving.value.get("object")).startswith("realtime."):
        left = [name for name in _THE_SERVERS if moving.take(name) is not MISSING]
        moving.warn("object", f"this is a server's answer; left out: {', '.join(left)}")
        moving.value = {name: value for name, value in moving.value.items() if value is not None}


def _replace_what_is_gone(moving: Moving, places: Mapping[str, str]) -> None:
    if "model" in places:
        model = moving.placed(places["model"])
        if isinstance(model, str) and model.startswith(_BETA_MODELS):
            moving.old = True
            moving.replace(places["model"], realtime_model(model).replacement, "is gone")
    voice = moving.placed(places[VOICE])
    if moving.old and isinstance(voice, str) and voice in UNFIT_VOICES:
        moving.replace(places[VOICE], UNFIT_VOICES[voice], "gives distorted noise on a realtime session")


def _format(value: Any) -> Any:
    return _FORMATS.get(value, value) if isinstance(value, str) else value


def _modalities(value: Any) -> Any:
    """Audio always brings its text along."""
    return ["audio"] if isinstance(value, list) and "audio" in value else value


_VAD_FIELDS = ServerVad.model_fields.keys() | SemanticVad.model_fields.keys()


def _turn_detection(value: Any) -> Any:
    match value:
        case None | "none":
            return None
        case {"type": "none", **rest} if rest.keys() <= _VAD_FIELDS:
            return None
        case str():
            return {"type": value}
        case dict():
            return {"type": "server_vad"} | value
        case _:
            return value


def _transcription(value: Any) -> Any:
    if not isinstance(value, dict) or "enabled" not in value:
        return value
    return {name: item for name, item in value.items() if name != "enabled"} if value["enabled"] else None


_TODAY: Mapping[str, Callable[[Any], Any]] = {
    "output_modalities": _modalities,
    INPUT_FORMAT: _format,
    OUTPUT_FORMAT: _format,
    TURN_DETECTION: _turn_detection,
    TRANSCRIPTION: _transcription,
}
