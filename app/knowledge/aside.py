"""Reading a large document holds nobody up: it is done in a process of its own, which is stopped when it takes long."""

import asyncio
import os
import sys

import msgspec

from app.errors import DocumentRefused
from app.knowledge.document import Document, read_document

LARGE_BYTES = 64 << 10
LIMIT_S = 30.0


class _Given(msgspec.Struct):
    data: bytes
    name: str
    content_type: str
    language: str | None
    title: str | None

    def read(self) -> Document:
        return read_document(
            self.data, name=self.name, content_type=self.content_type, language=self.language, title=self.title
        )


class _Answer(msgspec.Struct):
    document: Document | None = None
    refused: tuple[str, str] = ("", "")


async def read_aside(
    data: bytes, *, name: str, content_type: str, language: str | None, title: str | None, limit_s: float = LIMIT_S
) -> Document:
    """What `read_document` does, beside the event loop. Raises `DocumentRefused`."""
    given = _Given(data, name, content_type, language, title)
    if len(data) <= LARGE_BYTES:
        return await asyncio.to_thread(given.read)
    try:
        async with asyncio.timeout(limit_s):
            said = await _asked(msgspec.msgpack.encode(given))
    except TimeoutError:
        raise DocumentRefused("unreadable", f"It could not be read within {limit_s:g} s: divide it.") from None
    answer = await asyncio.to_thread(msgspec.msgpack.decode, said, type=_Answer)
    if answer.document is None:
        raise DocumentRefused(*answer.refused)
    return answer.document


async def _asked(question: bytes) -> bytes:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        said, _ = await process.communicate(question)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise DocumentRefused("unreadable", "It cannot be read: the reader broke, and the server's log says how.")
    return said


def main() -> None:
    """The other process: one document in, one answer out."""
    os.nice(10)  # calls come first
    given = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=_Given)
    try:
        answer = _Answer(given.read())
    except DocumentRefused as error:
        answer = _Answer(refused=(error.code, str(error)))
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer))


if __name__ == "__main__":
    main()
