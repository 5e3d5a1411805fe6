"""The answers we give a webhook."""

from collections.abc import Mapping
from typing import Literal

from twilio.twiml.voice_response import VoiceResponse

from app.twilio import recordings

PARAMETER_CHARACTERS = 499
"""The most that Twilio takes as one `<Parameter>` value."""


def connect_stream(
    *,
    stream_url: str,
    parameters: Mapping[str, str],
    language: str,
    apology: str,
    fallback_number: str | None,
    after_url: str,
    recording_callback: str | None = None,
    first_words: str | None = None,
) -> str:
    """Pipe the call into our media socket; what follows runs only when the stream ends without us.

    No `action`: it would keep Twilio from running the verbs behind `<Connect>`, which work even when we are dead.
    With a callback Twilio records the call; that begins before `<Connect>`, where no later start is sure to work,
    and behind the first words, which nobody records.
    """
    if too_long := [name for name, value in parameters.items() if len(value) > PARAMETER_CHARACTERS]:
        raise ValueError(f"stream parameters over {PARAMETER_CHARACTERS} characters: {', '.join(too_long)}")
    response = VoiceResponse()
    if first_words:
        response.say(_speakable(first_words), language=language)
    if recording_callback:
        response.start().recording(
            channels=recordings.CHANNELS,
            trim=recordings.TRIM,
            recording_status_callback=recording_callback,
            recording_status_callback_event=recordings.EVENTS,
        )
    stream = response.connect().stream(url=stream_url)
    for name, value in parameters.items():
        stream.parameter(name=name, value=value)
    if fallback_number:
        _say_and_dial(response, apology, language, fallback_number)
    else:
        response.redirect(after_url, method="POST")
    return str(response)


def say_then(message: str, *, language: str, number: str | None) -> str:
    """Say something, then forward the call to that number, or hang up where there is none."""
    response = VoiceResponse()
    if number:
        _say_and_dial(response, message, language, number)
    else:
        response.say(_speakable(message), language=language)
        response.hangup()
    return str(response)


def dial(number: str, *, caller_id: str | None, time_limit_s: int) -> str:
    """Forward the call to that number, which sees `caller_id`, for no longer than the limit."""
    response = VoiceResponse()
    response.dial(caller_id=caller_id, time_limit=time_limit_s).number(number)
    return str(response)


def reject(reason: Literal["busy", "rejected"]) -> str:
    """Do not answer the call; it costs nothing."""
    response = VoiceResponse()
    response.reject(reason=reason)
    return str(response)


def hang_up() -> str:
    """End the call."""
    response = VoiceResponse()
    response.hangup()
    return str(response)


def _say_and_dial(response: VoiceResponse, message: str, language: str, number: str) -> None:
    response.say(_speakable(message), language=language)
    response.dial().number(number)


def _speakable(text: str) -> str:
    """The text without the control characters that XML cannot carry."""
    return "".join(character if character.isprintable() else " " for character in text)
