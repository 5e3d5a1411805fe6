"""Subtitle files in both forms, read into their segments."""

import re

from app.openai.types.transcription import TranscriptionSegment

_TIME = r"(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{3})"
_CUE = re.compile(rf"^[ \t]*{_TIME}[ \t]+-->[ \t]+{_TIME}[^\n]*\n(.*?)(?=\n[ \t]*\n|\Z)", re.MULTILINE | re.DOTALL)


def segments_in(subtitles: str) -> list[TranscriptionSegment]:
    """What an SRT or VTT file shows, each cue a segment."""
    text = subtitles.replace("\r\n", "\n")
    cues = (cue for cue in _CUE.finditer(text))
    return [
        TranscriptionSegment(
            number, _seconds(*cue.groups()[:4]), _seconds(*cue.groups()[4:8]), " ".join(cue[9].split())
        )
        for number, cue in enumerate(cues)
    ]


def _seconds(hours: str | None, minutes: str, seconds: str, milliseconds: str) -> float:
    return (int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)) + int(milliseconds) / 1000
