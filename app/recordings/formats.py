"""A transcript as people and players read it: plain text, JSON, SRT and WebVTT."""

import json
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from html import escape
from typing import Any, Literal

from app.recordings.segments import Segment

Format = Literal["text", "json", "srt", "vtt"]

CUE_CHARACTERS = 84
"""Two lines of a subtitle; what is longer becomes several."""
LEAST_CUE_MS = 1


def write(form: Format, segments: Sequence[Segment], about: Mapping[str, Any] | None = None) -> str:
    """The transcript in that format; JSON also has what is known `about` it."""
    if form == "json":
        return to_json(segments, about)
    return _FORMATS[form](segments)


def to_text(segments: Sequence[Segment]) -> str:
    """A line for each segment: when, who, what."""
    return "".join(f"[{_minutes(each.start_ms)}] {name_of(each.speaker)}: {_line(each.text)}\n" for each in segments)


def to_json(segments: Sequence[Segment], about: Mapping[str, Any] | None = None) -> str:
    """One object: what is known about the transcript, and its segments."""
    content = {**(about or {}), "segments": [asdict(each) for each in segments]}
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def to_srt(segments: Sequence[Segment]) -> str:
    """SubRip subtitles, the speaker's name before the words."""
    cues = (
        f"{number}\n{_clock(cue.start_ms, ',')} --> {_clock(cue.end_ms, ',')}\n"
        f"{name_of(cue.speaker)}: {cue.text.replace('-->', '→')}\n"
        for number, cue in enumerate(_cues(segments), start=1)
    )
    return "\n".join(cues)


def to_vtt(segments: Sequence[Segment]) -> str:
    """WebVTT, with each speaker as a voice."""
    cues = (
        f"{_clock(cue.start_ms, '.')} --> {_clock(cue.end_ms, '.')}\n"
        f"<v {escape(name_of(cue.speaker), quote=False)}>{escape(cue.text, quote=False)}</v>\n"
        for cue in _cues(segments)
    )
    return "\n".join(["WEBVTT\n", *cues])


def name_of(speaker: str) -> str:
    """What a speaker is called where people read it."""
    return f"Speaker {speaker}" if len(speaker) < 4 else speaker.capitalize()


def plain(segments: Sequence[Segment]) -> str:
    """The words alone, a line for each segment."""
    return "\n".join(each.text for each in segments)


def _cues(segments: Sequence[Segment]) -> Iterator[Segment]:
    """The segments in parts that fit on a screen, each with its share of the time; none has no length."""
    for each in segments:
        parts = textwrap.wrap(_line(each.text), CUE_CHARACTERS, break_on_hyphens=False)
        characters, spoken = sum(map(len, parts)), 0
        for part in parts:
            start_ms = each.start_ms + (each.end_ms - each.start_ms) * spoken // characters
            spoken += len(part)
            end_ms = each.start_ms + (each.end_ms - each.start_ms) * spoken // characters
            yield Segment(each.speaker, start_ms, max(end_ms, start_ms + LEAST_CUE_MS), part)


def _line(text: str) -> str:
    return " ".join(text.split())


def _minutes(ms: int) -> str:
    minutes, seconds = divmod(ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"


def _clock(ms: int, point: str) -> str:
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{point}{ms:03}"


_FORMATS: Mapping[str, Callable[[Sequence[Segment]], str]] = {"text": to_text, "srt": to_srt, "vtt": to_vtt}
