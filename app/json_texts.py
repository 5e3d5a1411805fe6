"""JSON whose texts are changed, and which stays JSON."""

import json
import re
from collections.abc import Callable

import msgspec

_VALUE = re.compile(r"""\[\s*"?\d"?(?:\s*,\s*"?\d"?)+\s*\]|"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?""")
"""A list of single digits, which are one number; a text, or the name of a field; a number."""


def is_json(text: str) -> bool:
    """Whether it is an object, a list or a text in JSON."""
    if not text.lstrip().startswith(("{", "[", '"')):
        return False
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def changed(text: str, change: Callable[[str], str]) -> str:
    """The JSON with each of its texts, names of fields and numbers as `change` has it, and all else to the letter."""

    seen: dict[str, str] = {}  # names of fields stand in a list again and again

    def each(found: re.Match[str]) -> str:
        written = found[0]
        if written not in seen:
            seen[written] = rewritten(written)
        return seen[written]

    def rewritten(written: str) -> str:
        match written[0]:
            case "[":
                digits = re.sub(r"\D", "", written)
                told = change(digits)
                return written if told == digits else json.dumps([told], ensure_ascii=False)
            case '"':
                said = json.loads(written)
            case _:
                said = written
        told = change(said)
        return written if told == said else json.dumps(told, ensure_ascii=False)

    return _VALUE.sub(each, text)
