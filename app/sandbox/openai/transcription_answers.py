"""What was heard, in each of the API's formats."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.sandbox.openai.transcription_ears import Said
from app.sandbox.openai.transcription_form import Wish

AUDIO_TOKENS_A_SECOND = 10


@dataclass(frozen=True, slots=True)
class Heard:
    """A recording as the ears have it."""

    said: Sequence[Said]
    seconds: float
    speakers: Mapping[str, str]
    """What each of those who speak is called."""

    @property
    def text(self) -> str:
        """All of it."""
        return " ".join(each.text for each in self.said)


def plain(heard: Heard, wish: Wish) -> str | None:
    """The answer in the formats that are no JSON; None for the others."""
    match wish.response_format:
        case "text":
            return heard.text + "\n"
        case "srt":
            return "".join(f"{number}\n{cue}" for number, cue in enumerate(_cues(heard, ","), 1))
        case "vtt":
            return "WEBVTT\n\n" + "".join(_cues(heard, "."))
    return None


def answer(heard: Heard, wish: Wish) -> dict[str, Any]:
    """The answer in one of the JSON formats."""
    match wish.response_format:
        case "verbose_json":
            return _verbose(heard, wish)
        case "diarized_json":
            segments = list(diarized(heard))
            said = {"task": "transcribe", "duration": heard.seconds, "text": heard.text, "segments": segments}
            return said | {"usage": _usage(heard, wish)}
    return _json(heard, wish)


def events(heard: Heard, wish: Wish) -> Iterator[dict[str, Any]]:
    """The same as the events of a stream."""
    if wish.response_format == "diarized_json":
        for segment in diarized(heard):
            yield {"type": "transcript.text.delta", "delta": segment["text"] + " ", "segment_id": segment["id"]}
            yield segment
    else:
        for token in _tokens(heard.text):
            more = {"logprobs": [_logprob(token)]} if wish.logprobs else {}
            yield {"type": "transcript.text.delta", "delta": token} | more
    yield {"type": "transcript.text.done"} | _json(heard, wish)


def sse(event: Mapping[str, Any]) -> str:
    """An event as it goes over the wire."""
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"


def diarized(heard: Heard) -> Iterator[dict[str, Any]]:
    """The segments, each with who speaks."""
    for number, each in enumerate(heard.said, 1):
        place = {"id": f"seg_{number:03}", "start": each.start_ms / 1000, "end": each.end_ms / 1000}
        yield {"type": "transcript.text.segment", **place, "speaker": heard.speakers[each.who], "text": each.text}


def _json(heard: Heard, wish: Wish) -> dict[str, Any]:
    said: dict[str, Any] = {"text": heard.text}
    if wish.model.hints:
        said["languages"] = [{"code": "en"}] if heard.text else []
    if wish.logprobs:
        said["logprobs"] = [_logprob(token) for token in _tokens(heard.text)]
    return said | {"usage": _usage(heard, wish)}


def _verbose(heard: Heard, wish: Wish) -> dict[str, Any]:
    said: dict[str, Any] = {
        "task": "transcribe",
        "language": "english",
        "duration": round(heard.seconds, 2),
        "text": heard.text,
    }
    if "segment" in wish.granularities:
        said["segments"] = [_segment(number, each) for number, each in enumerate(heard.said)]
    if "word" in wish.granularities:
        said["words"] = [word for each in heard.said for word in _words(each)]
    return said | {"usage": _usage(heard, wish)}


def _segment(number: int, said: Said) -> dict[str, Any]:
    return {
        "id": number,
        "seek": said.start_ms // 10,
        "start": said.start_ms / 1000,
        "end": said.end_ms / 1000,
        "text": f" {said.text}",
        "tokens": [50364, *(len(word) for word in said.text.split()), 50364 + (said.end_ms - said.start_ms) // 20],
        "temperature": 0.0,
        "avg_logprob": -0.28,
        "compression_ratio": 1.2,
        "no_speech_prob": 0.01,
    }


def _words(said: Said) -> Iterator[dict[str, Any]]:
    """Each word for as long as its part of the letters; whisper leaves the full stops out."""
    ms_per_letter, at = (said.end_ms - said.start_ms) / len(said.text), 0
    for word in said.text.split():
        times = (round((said.start_ms + ms_per_letter * place) / 1000, 2) for place in (at, at + len(word)))
        yield {"word": re.sub(r"[.,!?]", "", word)} | dict(zip(("start", "end"), times, strict=True))
        at += len(word) + 1


def _cues(heard: Heard, point: str) -> Iterator[str]:
    for each in heard.said:
        yield f"{_time(each.start_ms, point)} --> {_time(each.end_ms, point)}\n{each.text}\n\n"


def _time(at_ms: int, point: str) -> str:
    seconds, ms = divmod(at_ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{point}{ms:03}"


def _usage(heard: Heard, wish: Wish) -> dict[str, Any]:
    if not wish.model.bills_tokens:
        return {"type": "duration", "seconds": _up(heard.seconds)}
    audio, text, out = _up(heard.seconds * AUDIO_TOKENS_A_SECOND), len(wish.prompt.split()), len(_tokens(heard.text))
    details = {"text_tokens": text, "audio_tokens": audio}
    tokens = {"input_tokens": text + audio, "input_token_details": details, "output_tokens": out}
    return {"type": "tokens", **tokens, "total_tokens": text + audio + out}


def _up(value: float) -> int:
    return -int(-value // 1)


def _tokens(text: str) -> list[str]:
    return re.findall(r" ?\S+", text)


def _logprob(token: str) -> dict[str, Any]:
    return {"token": token, "logprob": -0.01, "bytes": list(token.encode())}
