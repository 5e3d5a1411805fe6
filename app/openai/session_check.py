"""Whether the server granted the session that was asked for, and what to ask for instead where it did not."""

import copy
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import ValidationError

from app.openai.types.session import OpenaiRealtimeSessionConfig

Path = tuple[str | int, ...]
UNTOLD: Final = "(not echoed)"
ULAW = {"type": "audio/pcmu"}
PCM = {"type": "audio/pcm", "rate": 24000}

_SIDES = ("input", "output")
_FORMATS: tuple[Path, ...] = tuple(("audio", side, "format") for side in _SIDES)
_ESSENTIAL: frozenset[Path] = frozenset(
    {(), ("type",), ("model",), ("output_modalities",), ("instructions",), ("audio",), *_FORMATS}
    | {("audio", side) for side in _SIDES}
)
"""Without these there is no call, or not with this agent."""
_MAKES_THE_OBJECT = frozenset({"type", "model", "name", "id", "post_instructions"})
"""Refused, they take the object they are in with them."""
_SECRETS = frozenset({"authorization", "headers"})
"""Of a tool; the server keeps them to itself."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field that was asked for, and what the server says it is."""

    path: Path
    asked: Any
    got: Any

    @property
    def state(self) -> Literal["granted", "changed", "untold"]:
        """A field that the server does not mention may well be in force: it proves nothing."""
        if _same(self.path, self.asked, self.got):
            return "granted"
        return "untold" if self.got is UNTOLD else "changed"

    @property
    def name(self) -> str:
        """The path as the API writes it, like `tools[0].name`."""
        return name_of(self.path)


@dataclass(frozen=True, slots=True)
class Correction:
    """What to ask for instead: `fields` were not granted, and those that a call can do without are left out."""

    config: OpenaiRealtimeSessionConfig
    fields: tuple[str, ...]
    transcoded: bool = False
    """The session speaks 24 kHz PCM both ways, in place of the phone's µ-law."""


def compare(asked: Mapping[str, Any], echoed: Mapping[str, Any]) -> list[Field]:
    """Each field that was asked for beside its echo; what the server adds is its own business."""
    return list(_compare((), asked, echoed))


def changed(asked: OpenaiRealtimeSessionConfig, echoed: Mapping[str, Any]) -> list[Path]:
    """The fields that the server has otherwise than asked; an audio format it does not confirm is one of them."""
    fields = compare(asked.wire(), echoed)
    return [
        field.path
        for field in fields
        if field.state == "changed" or (field.state == "untold" and _format_of(field.path) is not None)
    ]


def unconfirmed_format(asked: OpenaiRealtimeSessionConfig, echoed: Mapping[str, Any]) -> Field | None:
    """An audio format that was not granted: audio in another one would be noise."""
    found = (field for field in compare(asked.wire(), echoed) if _format_of(field.path) is not None)
    return next((field for field in found if field.state != "granted"), None)


def refused(config: OpenaiRealtimeSessionConfig, param: str | None) -> list[Path]:
    """The field that a refusal names, as far down as we have it; empty where it names none."""
    keys = re.findall(r"[^.\[\]]+", (param or "").removeprefix("session"))
    path: Path = ()
    value: Any = config.wire()
    for key in keys:
        if isinstance(value, Mapping) and key in value:
            value, path = value[key], (*path, key)
        elif isinstance(value, Sequence) and key.isdigit() and int(key) < len(value):
            value, path = value[int(key)], (*path, int(key))
        else:
            break
    return [path] if path else []


def correction(config: OpenaiRealtimeSessionConfig, paths: Sequence[Path]) -> Correction | None:
    """What to ask for where these were not granted; None where that would be the same again, or no session."""
    wire = config.wire(reveal=True)
    parts = list(dict.fromkeys(_least_part(wire, path) for path in paths))
    transcoded = any(part in _FORMATS and _at(wire, part) == ULAW for part in parts)
    for part in sorted(parts, key=_last_first):
        if part not in _ESSENTIAL and not any(part[:length] in parts for length in range(len(part))):
            wire = _without(wire, part)
    if transcoded:
        for form in _FORMATS:
            _at(wire, form[:-1])["format"] = PCM
    corrected = _session(wire)
    if corrected is None or corrected.wire() == config.wire():
        return None
    return Correction(corrected, tuple(map(name_of, parts)), transcoded)


def name_of(path: Path) -> str:
    """The path as the API writes it."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).lstrip(".")


def _compare(path: Path, asked: Any, got: Any) -> Iterator[Field]:
    if _is_secret(path):
        return
    if isinstance(asked, Mapping) and (isinstance(got, Mapping) or got is UNTOLD or path in _ESSENTIAL):
        echoes = got if isinstance(got, Mapping) else {}
        for key, value in asked.items():
            yield from _compare((*path, key), value, echoes.get(key, UNTOLD))
    elif isinstance(asked, list) and isinstance(got, list) and len(asked) == len(got) > 0:
        for index, (value, echo) in enumerate(zip(asked, got, strict=True)):
            yield from _compare((*path, index), value, echo)
    else:
        yield Field(path, asked, got)


def _same(path: Path, asked: Any, got: Any) -> bool:
    match asked:
        case None | []:
            return not got or got is UNTOLD  # off, or none, needs no mention
        case bool():
            return got is asked
        case int() | float():  # the server keeps 32 bits of a number
            return isinstance(got, int | float) and math.isclose(asked, got, rel_tol=1e-5)
        case str() if path[-1] == "model":  # an alias may be echoed as the snapshot it stands for
            return got == asked or str(got).startswith(f"{asked}-20")
        case str() if isinstance(got, Mapping):  # a voice may be echoed as the object that names it
            return bool(got == {"id": asked})
        case str():
            return isinstance(got, str) and got.strip() == asked.strip()
        case _:
            return bool(asked == got)


def _is_secret(path: Path) -> bool:
    return len(path) == 3 and path[0] == "tools" and path[2] in _SECRETS


def _format_of(path: Path) -> Path | None:
    """The audio format that the path is, or is within."""
    return path[:3] if path[:3] in _FORMATS else None


def _least_part(wire: dict[str, Any], path: Path) -> Path:
    """The path, or the least around it that can be left out so that the rest is still a session."""
    if (form := _format_of(path)) is not None:
        return form
    while path[:-1] not in _ESSENTIAL and (path[-1] in _MAKES_THE_OBJECT or _session(_without(wire, path)) is None):
        path = path[:-1]
    return path


def _session(wire: dict[str, Any]) -> OpenaiRealtimeSessionConfig | None:
    try:
        return OpenaiRealtimeSessionConfig.model_validate(wire)
    except ValidationError:
        return None


def _last_first(path: Path) -> tuple[tuple[int, str], ...]:
    """Later entries of a list come first: leaving one out moves those behind it."""
    return tuple((-key, "") if isinstance(key, int) else (0, key) for key in path)


def _without(wire: dict[str, Any], path: Path) -> dict[str, Any]:
    rest = copy.deepcopy(wire)
    del _at(rest, path[:-1])[path[-1]]
    return rest


def _at(wire: Any, path: Path) -> Any:
    for key in path:
        wire = wire[key]
    return wire
