"""Where recordings are kept: a folder, or any store that speaks S3."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Stored:
    """What was put into the storage."""

    key: str
    bytes: int
    sha256: str


class Storage(Protocol):
    """Keeps files under keys like `2026/11/<id>.wav`. All raise `StorageError`; `NotStored` for an unknown key."""

    async def put(self, key: str, file: Path) -> Stored:
        """Keep the file; what was under that key before is replaced, whole or not at all."""

    async def size(self, key: str) -> int:
        """How many bytes there are."""

    def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to `end` (exclusive), piece by piece."""

    async def fetch(self, key: str, file: Path) -> None:
        """Bring it into a local file."""

    async def delete(self, key: str) -> None:
        """Take it away; one that is not there is fine."""
