"""The answers we give a webhook."""

from collections.abc import Mapping
from typing import Literal

from twilio.twiml.voice_response import VoiceResponse

from app.twilio import recordings

PARAMETER_CHARACTERS = 499
"""The most that Twilio takes as one `<Parameter>` value."""
FORWARDED_S = 3600
"""A caller whom no agent could help may talk so long with whoever answers the fallback number."""
MESSAGE_PAUSE_S = 5
"""Whoever leaves a message and is silent for so long has said all of it."""


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
    keys: str | None = None,
) -> str:
    """Pipe the call into our media socket; what follows runs only when the stream ends without us.

    No `action`: it would keep Twilio from running the verbs behind `<Connect>`, which work even when we are dead. Nor
    has the forwarded call one: at its end, whoever is still on the line would hear Twilio's error.
    With a callback Twilio records the call; that begins before `<Connect>`, where no later start is sure to work,
    and behind the first words, which nobody records.
    """
    if too_long := [name for name, value in parameters.items() if len(value) > PARAMETER_CHARACTERS]:
        raise ValueError(f"stream parameters over {PARAMETER_CHARACTERS} characters: {', '.join(too_long)}")
    response = VoiceResponse()
    if keys:
        response.play(digits=keys)
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


def say_then(message: str, *, language: str, number: str | None, voicemail_url: str | None = None) -> str:
    """Say something; then forward the call to that number, and where there is none, or nobody answers, go on with the
    voicemail; where there is none either, hang up."""
    response = VoiceResponse()
    if number:
        _say_and_dial(response, message, language, number, voicemail_url)
        return str(response)
    response.say(_speakable(message), language=language)
    if voicemail_url:
        response.redirect(voicemail_url, method="POST")
    else:
        response.hangup()
    return str(response)


def record_message(greeting: str, *, language: str, max_seconds: int, action_url: str, recording_callback: str) -> str:
    """Record what the caller says after a tone; who says nothing is hung up on."""
    response = VoiceResponse()
    response.say(_speakable(greeting), language=language)
    response.record(
        action=action_url,
        method="POST",
        max_length=max_seconds,
        timeout=MESSAGE_PAUSE_S,
        finish_on_key="#",
        play_beep=True,
        recording_status_callback=recording_callback,
        recording_status_callback_event=recordings.MESSAGE_EVENTS,
    )
    response.hangup()  # an empty recording has no action: Twilio goes on here
    return str(response)


def dial(number: str, *, caller_id: str | None, ring_s: int, time_limit_s: int, action_url: str) -> str:
    """Forward the call to that number, which sees `caller_id`, for no longer than the limit; then ask what follows."""
    response = VoiceResponse()
    response.dial(
        caller_id=caller_id, timeout=ring_s, time_limit=time_limit_s, action=action_url, method="POST"
    ).number(number)
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


def _say_and_dial(
    response: VoiceResponse, message: str, language: str, number: str, unanswered_url: str | None = None
) -> None:
    """With that URL Twilio asks there what follows the forwarded call; without it, nothing does."""
    response.say(_speakable(message), language=language)
    method = "POST" if unanswered_url else None
    response.dial(time_limit=FORWARDED_S, action=unanswered_url, method=method).number(number)


def _speakable(text: str) -> str:
    """The text without the control characters that XML cannot carry."""
    return "".join(character if character.isprintable() else " " for character in text)
