"""Where values go into the texts of a web tool: `{{args.order}}`, `{{call.id}}`, `{{digits.pin}}`, `{{name}}`."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from app.conf.models.variables import is_name

Source = Literal["args", "call", "digits", "variables"]
CALL_FIELDS = ("id", "caller", "called", "agent")

_PLACE = re.compile(r"\{\{[ \t]*([^{}\n]*?)[ \t]*\}\}")
_STEP = re.compile(r"[A-Za-z0-9_-]{1,64}")
_DIGITS_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value goes: whose it is, and the way to it."""

    source: Source
    path: tuple[str, ...]

    def __str__(self) -> str:
        way = ".".join(self.path)
        return f"{{{{{way if self.source == 'variables' else f'{self.source}.{way}'}}}}}"


def places(text: str) -> list[Place]:
    """The places of a text, in order; raises `ValueError` for what looks like one and is none."""
    return [_place(word) for word in _PLACE.findall(text)]


def only_place(text: str) -> Place | None:
    """The place that is all of the text, if it is one."""
    whole = _PLACE.fullmatch(text)
    return _place(whole[1]) if whole else None


def replaced(text: str, value: Callable[[Place], str]) -> str:
    """The text with its values; what looks like a place inside of a value stays as it stands."""
    return _PLACE.sub(lambda found: value(_place(found[1])), text)


def literals(text: str) -> list[str]:
    """What stands between the places of a text."""
    return _PLACE.split(text)[::2]


def texts_in(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every text of a JSON value that may have places (all but the names of fields), with its path."""
    match value:
        case str():
            yield path, value
        case dict():
            for name, item in value.items():
                yield from texts_in(item, f"{path}.{name}")
        case list():
            for index, item in enumerate(value):
                yield from texts_in(item, f"{path}.{index}")


def _place(word: str) -> Place:
    source, *path = word.split(".")
    match source:
        case "args" if path and all(_STEP.fullmatch(step) for step in path):
            return Place("args", tuple(path))
        case "call" if len(path) == 1 and path[0] in CALL_FIELDS:
            return Place("call", tuple(path))
        case "digits" if len(path) == 1 and _DIGITS_NAME.fullmatch(path[0]):
            return Place("digits", tuple(path))
        case _ if not path and is_name(word) and word not in {"args", "call", "digits"}:
            return Place("variables", (word,))
    known = f"{{{{args.NAME}}}}, {', '.join(f'{{{{call.{each}}}}}' for each in CALL_FIELDS)}, {{{{digits.NAME}}}}"
    raise ValueError(f"{{{{{word}}}}} stands for nothing; there are: {known} and variables, {{{{name}}}}")
