"""Lost updates: a row's ETag is its version, and a write may say which one it has seen."""

import re
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Header

ANY = "*"
_TAG = r'(?:W/)?"[^"]*"'
_PATTERN = rf"^(\*|{_TAG}(\s*,\s*{_TAG})*)$"

IfMatch = Annotated[
    str | None,
    Header(
        pattern=_PATTERN,
        description="Write only if the version is still this one (the `ETag` of a read); 412 otherwise. "
        "Without it, the last writer wins.",
    ),
]
IfNoneMatch = Annotated[
    str | None,
    Header(pattern=_PATTERN, description="`*`: write only if there is none yet; 412 otherwise."),
]
IfChanged = Annotated[
    str | None,
    Header(alias="If-None-Match", pattern=_PATTERN, description="304 while the version is still this one."),
]


def etag(version: int) -> str:
    """The tag of a version."""
    return f'"{version}"'


def unchanged(header: str | None, version: int) -> bool:
    """Whether a reader has this version already."""
    return header is not None and (header == ANY or etag(version) in _tags(header, weak=True))


def _expected(if_match: IfMatch = None, if_none_match: IfNoneMatch = None) -> Callable[[int], bool]:
    """Which versions of the row the writer will write over; 0 stands for none."""
    wanted = None if if_match in {None, ANY} else _tags(if_match or "", weak=False)
    unwanted = None if if_none_match in {None, ANY} else _tags(if_none_match or "", weak=True)

    def fits(version: int) -> bool:
        if version == 0:
            return if_match is None or etag(0) in (wanted or ())
        return not (
            (wanted is not None and etag(version) not in wanted)
            or if_none_match == ANY
            or (unwanted is not None and etag(version) in unwanted)
        )

    return fits


Precondition = Annotated[Callable[[int], bool], Depends(_expected)]


def _tags(header: str, *, weak: bool) -> set[str]:
    """The tags of a header; a weak one proves nothing where a write is to rely on it."""
    return {tag.removeprefix("W/") for tag in re.findall(_TAG, header) if weak or not tag.startswith("W/")}
