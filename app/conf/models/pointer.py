"""JSON pointers (RFC 6901): places in a JSON document."""

import re
from typing import Any

_FORM = re.compile(r"(/([^~]|~[01])*)?")
_INDEX = re.compile(r"0|[1-9][0-9]*")


class NotThere(LookupError):
    """The document has nothing at that place."""


def is_pointer(text: str) -> bool:
    """Whether it is written as one."""
    return _FORM.fullmatch(text) is not None


def found(document: Any, pointer: str) -> Any:
    """What the document has at that place; raises `NotThere`."""
    for escaped in pointer.split("/")[1:]:
        document = step(document, escaped.replace("~1", "/").replace("~0", "~"))
    return document


def step(document: Any, name: str) -> Any:
    """One step inside: an object's field, or a list's item; raises `NotThere`."""
    match document:
        case dict() if name in document:
            return document[name]
        case list() if _INDEX.fullmatch(name) and int(name) < len(document):
            return document[int(name)]
        case _:
            raise NotThere(name)
