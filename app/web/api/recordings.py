"""Recordings of calls: where they are, and having them written down again."""

from typing import Annotated
from uuid import UUID

from fastapi import Path
from pydantic import BaseModel

from app.db.call_queries import recordings_with_words
from app.db.engine import db_session
from app.db.recordings import find_recording, find_transcript
from app.db.tables import Recording as RecordingRow
from app.recordings.states import RecordingState
from app.web.api.auth import CallOperator, Reader
from app.web.api.call_filters import CallId
from app.web.api.calls import NO_CALL, House, Responses, known_call
from app.web.api.recording_models import Recording, show_recording
from app.web.api.routing import api_router
from app.web.deps import Services
from app.web.problems import Problem

RecordingId = Annotated[
    UUID, Path(description="The recording's `id`.", examples=["0199f3a0-7c1e-7cc3-98a2-5d1f0c2b7a10"])
]
NO_RECORDING: Responses = {404: {"description": "There is no such recording."}}
NOT_STORED: Responses = {
    409: {"description": "Its sound is not in the storage; `code` says whether it may come."},
    410: {"description": "It was deleted."},
}
_FIRST = {"parameters": {"recording_id": "$response.body#/data/0/id"}}
_LINKS: Responses = {
    200: {
        "links": {
            "first": {"operationId": "get_recording"} | _FIRST,
            "first_audio": {"operationId": "get_recording_audio"} | _FIRST,
            "first_again": {"operationId": "transcribe_recording"} | _FIRST,
        }
    }
}

router = api_router("recordings")


class RecordingList(BaseModel):
    """The recordings of a call, oldest first."""

    data: list[Recording]


@router.get("/calls/{call_id}/recordings", name="list_call_recordings", responses=_LINKS | NO_CALL)
async def read_recordings(call_id: CallId, house: House, _: Reader) -> RecordingList:
    """The recordings of a call, oldest first, and where they are on their way."""
    async with db_session(house.engine) as db:
        found = await recordings_with_words(db, await known_call(db, call_id))
    return RecordingList(data=[show_recording(*each) for each in found])


@router.get("/recordings/{recording_id}", name="get_recording", responses=NO_RECORDING)
async def read_recording(recording_id: RecordingId, house: House, _: Reader) -> Recording:
    """One recording, and where it is on its way."""
    return await _shown(house, recording_id)


@router.post(
    "/recordings/{recording_id}/transcribe",
    name="transcribe_recording",
    status_code=202,
    responses=NO_RECORDING | NOT_STORED,
)
async def transcribe(recording_id: RecordingId, house: House, holder: CallOperator) -> Recording:
    """Have a recording written down once more, as its agent is set now; its words stay until there are new ones."""
    await house.archive.transcribe_again(await stored_recording(house, recording_id), holder.actor)
    return await _shown(house, recording_id)


async def stored_recording(house: Services, recording_id: UUID) -> RecordingRow:
    """The recording whose sound we have; a problem 404, 409 or 410 where we have not."""
    async with db_session(house.engine) as db:
        row = await find_recording(db, recording_id)
    match row and row.state:
        case None:
            raise _no_such_recording()
        case RecordingState.STORED:
            assert row  # noqa: S101 - tells the type checker
            return row
        case RecordingState.DELETED:
            raise Problem(410, "recording_deleted", "The recording was deleted.")
        case state:
            assert row  # noqa: S101 - as above
            because = f": {row.reason}" if row.reason else ""
            raise Problem(409, f"recording_{state}", f"The recording's sound is not here; it is {state}{because}.")


async def _shown(house: Services, recording_id: UUID) -> Recording:
    async with db_session(house.engine) as db:
        row = await find_recording(db, recording_id)
        words = await find_transcript(db, recording_id)
    if row is None:
        raise _no_such_recording()
    return show_recording(row, words)


def _no_such_recording() -> Problem:
    return Problem(404, "not_found", "There is no recording of this id.")
