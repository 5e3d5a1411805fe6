"""Lists, page by page: a cursor is where the last page ended, and says nothing to anybody else."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field

from app.web.problems import Problem

PAGE_ITEMS = 25
MOST_PAGE_ITEMS = 100
_CURSOR_CHARACTERS = 500

T = TypeVar("T")
Found = TypeVar("Found")

Limit = Annotated[int, Query(ge=1, le=MOST_PAGE_ITEMS, description="The most items that a page has.")]
Cursor = Annotated[
    str | None,
    Query(max_length=_CURSOR_CHARACTERS, description="The page before's `next_cursor`; without it, the first page."),
]


class Page(BaseModel, Generic[T]):
    """One page of a list."""

    data: list[T]
    next_cursor: Annotated[str | None, Field(description="Asks for the next page; null on the last one.")] = None
    has_more: Annotated[bool, Field(description="Whether there is a next page.")] = False


def page(
    found: Sequence[Found], limit: int, *, show: Callable[[Found], T], place: Callable[[Found], Sequence[str]]
) -> Page[T]:
    """A page of what was found, asked for with `limit + 1`; `place` is what the next query begins after."""
    data = [show(each) for each in found[:limit]]
    if len(found) <= limit:
        return Page(data=data)
    return Page(data=data, next_cursor=encode_cursor(*place(found[limit - 1])), has_more=True)


def encode_cursor(*place: str) -> str:
    """A cursor that stands for this place in a list."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, parts: int) -> list[str]:
    """The place that a cursor of ours stands for; anything else is a problem 400."""
    try:
        place = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        place = None
    if (
        isinstance(place, list)
        and len(place) == parts
        and all(isinstance(part, str) and part.isprintable() for part in place)
    ):
        return place
    raise Problem(400, "cursor_invalid", "This is no cursor of this list; begin without one.")
