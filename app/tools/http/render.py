"""A web tool's texts with the values of one call of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final
from urllib.parse import quote

from app.conf.models.pointer import NotThere, step
from app.conf.models.tools.placeholders import Place, only_place, replaced


class Nothing(Enum):
    """No value at all, which is not null."""

    NOTHING = 0


NOTHING: Final = Nothing.NOTHING


@dataclass(frozen=True, slots=True)
class Values:
    """What the places of a tool's texts stand for."""

    args: Mapping[str, Any]
    call: Mapping[str, str] = field(default_factory=dict)
    digits: Mapping[str, str] = field(default_factory=dict, repr=False)
    variables: Mapping[str, str] = field(default_factory=dict)

    def get(self, place: Place) -> Any:
        """The value; `NOTHING` where there is none."""
        source: Any = dict(getattr(self, place.source))
        try:
            for name in place.path:
                source = step(source, name)
        except NotThere:
            return NOTHING
        return source


def as_text(value: Any) -> str:
    """A value inside of a text: JSON, but for texts themselves; nothing for none."""
    match value:
        case str():
            return value
        case None | Nothing.NOTHING:
            return ""
        case _:
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def text(template: str, values: Values) -> str:
    """The text, values as they are."""
    return replaced(template, lambda place: as_text(values.get(place)))


def quoted(template: str, values: Values) -> str:
    """The text as a piece of a URL: values cannot leave the part that they stand in."""
    return replaced(template, lambda place: quote(as_text(values.get(place)), safe=""))


def json_value(template: Any, values: Values) -> Any:
    """The JSON with its values; a text that is one place becomes its value, and nothing is left out."""
    match template:
        case str():
            place = only_place(template)
            return values.get(place) if place else text(template, values)
        case dict():
            items = {name: json_value(item, values) for name, item in template.items()}
            return {name: item for name, item in items.items() if item is not NOTHING}
        case list():
            return [item for item in (json_value(each, values) for each in template) if item is not NOTHING]
        case _:
            return template
