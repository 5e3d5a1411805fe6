"""The file: a tar whose last member says what the others are, and makes it whole.

README.txt                 what this is, for people
database/<table>.copy      a table's rows, as PostgreSQL's COPY writes text
calls/<call>/<file>        calls that are not in the database yet
twilio_callbacks/<file>    what Twilio told of recordings, likewise
recordings/<key>           the storage's files
secret_key                 the key ring, where the data directory keeps it
manifest.json              format, schema, tables, and every member's size and SHA-256
"""

import contextlib
import hashlib
import io
import os
import shutil
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import msgspec

from app.errors import BackupError

FORMAT = 1
README, MANIFEST, SECRET_KEY = "README.txt", "manifest.json", "secret_key"
DATABASE, CALLS, CALLBACKS, RECORDINGS = "database/", "calls/", "twilio_callbacks/", "recordings/"
PIECE_BYTES = 1 << 20


class TableEntry(msgspec.Struct, frozen=True):
    """A table in the archive; its member's columns are in this order."""

    name: str
    columns: list[str]
    rows: int

    @property
    def member(self) -> str:
        """Where its rows are."""
        return f"{DATABASE}{self.name}.copy"


class FileEntry(msgspec.Struct, frozen=True):
    """A member, and how to tell whether it is what was written."""

    name: str
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, kw_only=True):
    """What an archive holds."""

    format: int = FORMAT
    parley: str
    schema: str
    """The migration that its tables are of."""
    created_at: str
    with_recordings: bool
    with_key_ring: bool
    """Without it, the secrets in it open only with the SECRET_KEY of the environment that it was made in."""
    tables: list[TableEntry]
    missing: list[str] = []
    """Recordings that the database knows and the storage had not."""
    files: list[FileEntry] = []


class ArchiveWriter:
    """Writes members one after another; a file that is not finished never stands at its place. Blocks: for threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        if path.exists():
            raise BackupError(f"{path} is there already: nothing is written over a backup")
        try:
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp makes it 0600
        except OSError as error:
            raise BackupError(f"{path}: {error.strerror}") from None
        self._draft = Path(name)
        self._file = os.fdopen(handle, "wb")
        self._tar = tarfile.TarFile(fileobj=self._file, mode="w", format=tarfile.PAX_FORMAT)
        self.files: list[FileEntry] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):  # a full disk, of which we have spoken
            self._file.close()
        self._draft.unlink(missing_ok=True)

    def add(self, name: str, source: IO[bytes], size: int) -> None:
        """A member of that size; a source that has more is read no further."""
        member = tarfile.TarInfo(name)
        member.size, member.mode, member.mtime = size, 0o600, int(time.time())
        hashing = _Hashing(source)
        with file_errors(self._path):
            self._tar.addfile(member, hashing)
        self.files.append(FileEntry(name, size, hashing.sha256.hexdigest()))

    def add_file(self, name: str, path: Path) -> None:
        """A file as it is now, should it grow meanwhile."""
        with path.open("rb") as source:
            self.add(name, source, os.fstat(source.fileno()).st_size)

    def add_text(self, name: str, text: str) -> None:
        """A small member."""
        body = text.encode()
        self.add(name, io.BytesIO(body), len(body))

    def finish(self, manifest: Manifest) -> int:
        """Write the manifest, and put the file to its place; how many bytes it has."""
        manifest.files = self.files[:]
        self.add_text(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)).decode())
        with file_errors(self._path):
            self._tar.close()
            self._file.flush()
            os.fsync(self._file.fileno())
            size = self._file.tell()
            self._draft.replace(self._path)
        return size


class ArchiveReader:
    """A finished archive. Blocks: for threads. Raises `BackupError` for what is none, or not whole."""

    def __init__(self, path: Path) -> None:
        with file_errors(path), ExitStack() as stack:
            file = stack.enter_context(path.open("rb"))
            try:
                self._tar = stack.enter_context(tarfile.TarFile(fileobj=file))
                self._members = {each.name: each for each in self._tar.getmembers()}
                self.manifest = msgspec.json.decode(self.open(MANIFEST).read(), type=Manifest)
            except (tarfile.TarError, msgspec.DecodeError, KeyError, RecursionError):
                raise BackupError(f"{path} is no whole backup: it ends with no manifest that can be read") from None
            if not all(_is_plain(entry.name) for entry in self.manifest.files):
                raise BackupError(f"{path} is no backup of ours: a member's name leads out of it")
            if self.manifest.format != FORMAT:
                raise BackupError(f"{path} has format {self.manifest.format}, and this build reads {FORMAT} only")
            self._open = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def open(self, name: str) -> IO[bytes]:
        """That member, to be read."""
        member = self._members[name]
        opened = self._tar.extractfile(member) if member.isreg() else None
        if opened is None:
            raise KeyError(name)
        return opened

    def names(self, beginning: str) -> list[str]:
        """The members below a folder of the archive."""
        return [each.name for each in self.manifest.files if each.name.startswith(beginning)]

    def verify(self, tell: Callable[[int], None] = lambda _: None) -> None:
        """Compare every member with what was written; `tell` hears of each one's bytes."""
        wrong = []
        for entry in self.manifest.files:
            try:
                same = self._sha256(entry.name) == entry.sha256
            except (OSError, tarfile.TarError, KeyError):
                same = False
            if not same:
                wrong.append(entry.name)
            tell(entry.bytes)
        if wrong:
            named = ", ".join(wrong[:5]) + (f" and {len(wrong) - 5} more" if len(wrong) > 5 else "")
            raise BackupError(f"the backup is damaged: {named} is not what was written")

    def copy(self, name: str, path: Path) -> None:
        """Write that member into a new file that only we may read."""
        with file_errors(path), self.open(name) as source:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as out:
                shutil.copyfileobj(source, out, PIECE_BYTES)
                out.flush()
                os.fsync(out.fileno())

    def _sha256(self, name: str) -> str:
        with self.open(name) as source:
            hashing = _Hashing(source)
            while hashing.read(PIECE_BYTES):
                pass
        return hashing.sha256.hexdigest()


@contextmanager
def file_errors(path: Path) -> Iterator[None]:
    """Call what the file system refuses by its name: it is not the database that is at fault."""
    try:
        yield
    except OSError as error:
        raise BackupError(f"{error.filename or path}: {error.strerror or error}") from None


def _is_plain(name: str) -> bool:
    return not {"", ".", ".."} & set(name.split("/"))


class _Hashing:
    """A file that remembers what was read of it."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        piece = self._source.read(size)
        self.sha256.update(piece)
        return piece
