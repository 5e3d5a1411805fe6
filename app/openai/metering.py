"""Which model used how much: events that tell of usage name the session's own models."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.openai.types.session import OpenaiRealtimeSessionConfig
from app.openai.usage import transcription_used, usage_of
from app.realtime.events import AsideDone, CallerTranscript, RealtimeInEvent, ResponseDone
from app.realtime.usage import Used


class Meter:
    """One session's models, and what each event used of them. A session never changes its model."""

    def __init__(self, config: OpenaiRealtimeSessionConfig) -> None:
        hearing = config.audio.input if config.audio else None
        recogniser = hearing.transcription if hearing else None
        self._model = config.model or ""
        self._recogniser = (recogniser.model if recogniser else None) or ""

    def read(self, event: RealtimeInEvent) -> RealtimeInEvent:
        """The event, with what it used where it tells of usage."""
        match event:
            case ResponseDone(usage=Mapping() as raw) | AsideDone(usage=Mapping() as raw):
                return replace(event, used=Used(self._model, usage_of(raw)))
            case CallerTranscript(final=True, usage=Mapping() as raw):
                return replace(event, used=self._written(raw))
            case _:
                return event

    def _written(self, raw: Mapping[str, Any]) -> Used | None:
        return transcription_used(self._recogniser, raw)
