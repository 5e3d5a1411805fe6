"""Where recordings are kept: a folder, or any store that speaks S3."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store, from_url

from app.errors import NotStored, SettingsError, StorageError

PIECE_BYTES = 256 * 1024
CLIENT: Any = {"connect_timeout": timedelta(seconds=5), "timeout": timedelta(seconds=120)}
RETRY: Any = {"max_retries": 2, "retry_timeout": timedelta(seconds=20)}
"""The jobs come back by themselves; the library's own three minutes would only hold them up."""
CLOUDS = {"s3", "gs", "az"}


@dataclass(frozen=True, slots=True)
class Stored:
    """What was put into the storage."""

    key: str
    bytes: int
    sha256: str


def open_storage(url: str | None, data_dir: Path) -> "Storage":
    """The storage of that URL, by default a folder of `data_dir`. Connects to nothing yet; raises `SettingsError`.

    `file:///path`; `s3://bucket/prefix`, with `?endpoint=https://…&region=…` for what is not Amazon's, and
    `KEY:SECRET@` before the bucket where the environment (AWS_ACCESS_KEY_ID, …) does not hold them; `gs://`, `az://`.
    """
    try:
        return _open(url or (data_dir / "recordings").resolve().as_uri())
    except (BaseError, ValueError, OSError) as error:
        raise SettingsError(f"STORAGE_URL: {_first_line(error)}") from None


def _open(url: str) -> "Storage":
    parts = urlsplit(url)
    if parts.scheme == "file":
        if parts.netloc or parts.query or not parts.path.startswith("/"):
            raise ValueError("a folder looks like file:///var/lib/parley/recordings")
        folder = Path(unquote(parts.path))
        return Storage(LocalStore(folder, mkdir=True), folder)
    if parts.scheme == "s3":
        return Storage(_s3(url))
    if parts.scheme in CLOUDS:
        return Storage(from_url(url, client_options=CLIENT, retry_config=RETRY))
    raise ValueError("must look like file:///path or s3://bucket/prefix")


def _s3(url: str) -> ObjectStore:
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    if not parts.hostname or (unknown := query.keys() - {"endpoint", "region"}):
        raise ValueError(f"s3: {', '.join(sorted(unknown))} is not known" if parts.hostname else "s3 needs a bucket")
    options: Any = {"region": query.get("region", "us-east-1")} if query else {}
    if endpoint := query.get("endpoint"):
        options |= {"endpoint": endpoint, "virtual_hosted_style_request": False}
    if parts.username and parts.password:
        options |= {"access_key_id": unquote(parts.username), "secret_access_key": unquote(parts.password)}
    client = CLIENT | ({"allow_http": True} if query.get("endpoint", "").startswith("http://") else {})
    bucket = parts.netloc.rpartition("@")[2]
    return S3Store(
        bucket, prefix=parts.path.strip("/") or None, client_options=client, retry_config=RETRY, config=options
    )


class Storage:
    """Keeps files under keys like `2026/11/<id>.wav`. All raise `StorageError`; `NotStored` for an unknown key."""

    def __init__(self, store: ObjectStore, folder: Path | None = None) -> None:
        self._store = store
        self._folder = folder

    async def put(self, key: str, file: Path) -> Stored:
        """Keep the file; what was under that key before is replaced, whole or not at all."""
        with _storage_errors(key):
            size, digest = await asyncio.to_thread(_measure, file)
            await obstore.put_async(self._store, key, file)
            if self._folder:
                await asyncio.to_thread(_settle, self._folder / key)
        if (kept := await self.size(key)) != size:
            raise StorageError(f"{key}: {kept} of {size} bytes arrived in the storage")
        return Stored(key, size, digest)

    async def size(self, key: str) -> int:
        """How many bytes there are."""
        with _storage_errors(key):
            return (await obstore.head_async(self._store, key))["size"]

    async def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to `end` (exclusive), piece by piece; `start` lies within the file."""
        with _storage_errors(key):
            part: Any = {"offset": start} if end is None else (start, end)
            found = await obstore.get_async(self._store, key, options={"range": part} if start or end else {})
            async for piece in found.stream(min_chunk_size=PIECE_BYTES):
                yield bytes(piece)

    async def fetch(self, key: str, file: Path) -> None:
        """Bring it into a local file."""
        with file.open("wb") as out:
            async for piece in self.read(key):
                await asyncio.to_thread(out.write, piece)

    async def delete(self, key: str) -> None:
        """Take it away; one that is not there is fine."""
        try:
            with _storage_errors(key):
                await obstore.delete_async(self._store, key)
        except NotStored:
            return


@contextmanager
def _storage_errors(key: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise NotStored(f"{key} is not in the storage") from None
    except (BaseError, OSError) as error:
        raise StorageError(f"{key}: the storage cannot be used: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]


def _measure(file: Path) -> tuple[int, str]:
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
        return opened.tell(), digest


def _settle(file: Path) -> None:
    """Make sure that it survives a power cut."""
    for path in (file, file.parent):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
