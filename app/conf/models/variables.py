"""Variables in the texts of an agent: `{{name}}` stands for a value that each call brings along."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field

BUILT_IN = frozenset({"caller_number", "called_number", "now", "date", "time", "direction", "agent"})
"""The names that every call has values for."""
VALUE_CHARACTERS = 1000
"""What is longer is cut."""
MOST_VARIABLES = 100

_NAME = r"[A-Za-z_][A-Za-z0-9_]{0,63}"
_PLACE = re.compile(rf"\{{\{{[ \t]*({_NAME})[ \t]*\}}\}}")
_LIKE_A_PLACE = re.compile(r"\{\{[^{}\n]*\}\}")
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_UNSEEN = frozenset({"Cf", "Cs"})
_JOINERS = frozenset("\u200c\u200d")
"""Unseen, but words of some languages and many emoji need them."""


def clean(value: str) -> str:
    """The value as data: on one line, without characters that nobody sees, and not too long."""
    line = _BREAKS.sub(" ", value[:VALUE_CHARACTERS])
    return "".join(each for each in line if each in _JOINERS or unicodedata.category(each) not in _UNSEEN).strip()


def as_text(value: Any) -> str | None:
    """A JSON value as it is said; None for one that is no text, number or boolean."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float() | str():
            return clean(str(value))
        case _:
            return None


def is_name(name: str) -> bool:
    """Whether a variable may be called so."""
    return re.fullmatch(_NAME, name) is not None


def names(text: str) -> list[str]:
    """The variables that the text asks for, each once."""
    return list(dict.fromkeys(_PLACE.findall(text)))


def misspelt(text: str) -> list[str]:
    """What looks like a variable and is none, each once: it stays in the text."""
    return [each for each in dict.fromkeys(_LIKE_A_PLACE.findall(text)) if not _PLACE.fullmatch(each)]


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with each variable's value in its place, and nothing where there is none.

    Values go in as they are: what looks like a variable inside of one stays as it stands.
    """
    return _PLACE.sub(lambda place: values.get(place[1], ""), text)


def _is_name(name: str) -> str:
    if not is_name(name):
        raise ValueError("a variable's name has 1 to 64 letters, digits and _, and begins with no digit")
    return name


VariableName = Annotated[str, AfterValidator(_is_name)]
VariableValue = Annotated[str, Field(max_length=VALUE_CHARACTERS), AfterValidator(clean)]
Variables = Annotated[dict[VariableName, VariableValue], Field(max_length=MOST_VARIABLES)]
DeclaredVariables = Annotated[dict[VariableName, VariableValue | None], Field(max_length=MOST_VARIABLES)]
"""With null for those that have no default: their values come with each call."""
