"""The sound of a recording, whole or in the parts that a player asks for."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Header, Request, Response
from fastapi.responses import StreamingResponse

from app.errors import NotStored, StorageError
from app.recordings.storage import Storage
from app.web.api.auth import Reader
from app.web.api.calls import House, Responses
from app.web.api.recordings import NO_RECORDING, NOT_STORED, RecordingId, stored_recording
from app.web.api.routing import api_router
from app.web.problems import Problem
from app.web.ranges import Part, Unsatisfiable, parse_range

WAV = "audio/wav"
_BINARY: dict[str, Any] = {"content": {WAV: {"schema": {"type": "string", "format": "binary"}}}}
_RESPONSES: Responses = {
    200: _BINARY | {"description": "All of it: a stereo WAV, the caller on the recording's `caller_channel`."},
    206: _BINARY | {"description": "The part that `Range` asks for."},
    304: {"description": "It is still what `If-None-Match` names."},
    416: {"description": "The recording has none of those bytes; `Content-Range` says how many it has."},
}

router = api_router("recordings")


@router.get(
    "/recordings/{recording_id}/audio",
    name="get_recording_audio",
    response_class=StreamingResponse,
    responses=_RESPONSES | NO_RECORDING | NOT_STORED,
)
@router.head("/recordings/{recording_id}/audio", name="head_recording_audio", include_in_schema=False)
async def read_audio(
    *,
    recording_id: RecordingId,
    request: Request,
    house: House,
    _: Reader,
    range_: Annotated[str | None, Header(alias="Range", description="Like `bytes=0-1023`.")] = None,
    if_range: Annotated[str | None, Header(description="The `ETag` without which all of it is sent.")] = None,
    if_none_match: Annotated[str | None, Header(description="The `ETag` of a copy that is there already.")] = None,
) -> Response:
    """The recording's sound. Its `ETag` is the SHA-256; parts (`Range`) let players seek."""
    recording = await stored_recording(house, recording_id)
    size, tag = recording.bytes or 0, f'"{recording.sha256}"'
    headers = {
        "ETag": tag,
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f'inline; filename="{recording.id}.wav"',
    }
    if if_none_match and ("*" in if_none_match or tag in if_none_match):
        return Response(status_code=304, headers=headers)
    try:
        part = parse_range(range_, size) if if_range in {None, tag} else None
    except Unsatisfiable:
        detail = f"The recording has {size} bytes."
        raise Problem(416, "range_not_satisfiable", detail, headers={"Content-Range": f"bytes */{size}"}) from None
    if part:
        headers["Content-Range"] = part.content_range(size)
    headers["Content-Length"] = str(part.end - part.start if part else size)
    status = 206 if part else 200
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=WAV)
    sound = await _opened(house.storage, recording.key or "", part or Part(0, size))
    return StreamingResponse(sound, status, headers, WAV)


async def _opened(storage: Storage, key: str, part: Part) -> AsyncIterator[bytes]:
    """The part's pieces, of which the first is here: before that, a failure can still be told."""
    pieces = storage.read(key, part.start, part.end)
    try:
        first = await anext(pieces, b"")
    except NotStored:
        raise Problem(404, "recording_missing", "The recording is not in the storage any more.") from None
    except StorageError as error:
        raise Problem(503, "storage_away", f"The storage of recordings cannot be used: {error}.") from None
    return _all(first, pieces)


async def _all(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece
