"""What was said in a call, by its recording, as programs, people and players read it."""

from typing import Annotated, Any

from fastapi import Header, Query, Response

from app.db.call_queries import recordings_with_words
from app.db.engine import db_session
from app.db.tables import Recording as RecordingRow
from app.db.tables import Transcript as TranscriptRow
from app.recordings import formats
from app.recordings.segments import from_json
from app.recordings.states import TranscriptState
from app.web.api.auth import Reader
from app.web.api.call_filters import CallId
from app.web.api.calls import House, Responses, known_call
from app.web.api.recording_models import Transcript, show_transcript
from app.web.api.routing import api_router
from app.web.problems import Problem

TYPES: dict[formats.Format, str] = {
    "json": "application/json",
    "text": "text/plain",
    "srt": "application/x-subrip",
    "vtt": "text/vtt",
}
_RESPONSES: Responses = {
    200: {
        "model": Transcript,
        "description": "The transcript.",
        "content": {kind: {"schema": {"type": "string"}} for form, kind in TYPES.items() if form != "json"},
    },
    404: {"description": "There is no such call, or none of its recordings was to be written down."},
    409: {"description": "The words are not there (yet); `detail` says why. JSON shows the state instead."},
}

router = api_router("calls", "/calls")


@router.get("/{call_id}/transcript", name="get_call_transcript", response_model=Transcript, responses=_RESPONSES)
async def read_transcript(
    call_id: CallId,
    house: House,
    _: Reader,
    format_: Annotated[
        formats.Format | None,
        Query(alias="format", description="How it is written; without it, what `Accept` asks for."),
    ] = None,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> Any:
    """What was said, with speakers and times, by the call's recording. What was understood live is in its `turns`."""
    async with db_session(house.engine) as db:
        found = await recordings_with_words(db, await known_call(db, call_id))
    if not (transcripts := [words for _, words in found if words]):
        raise _no_transcript([recording for recording, _ in found])
    best = _best(transcripts)
    form = format_ or _accepted(accept)
    if form == "json":
        return show_transcript(best)
    if best.state != TranscriptState.DONE and not best.segments:
        because = f": {best.reason}" if best.reason else ""
        raise Problem(409, f"transcript_{best.state}", f"There are no words; the transcript is {best.state}{because}.")
    return Response(formats.write(form, from_json(best.segments)), media_type=f"{TYPES[form]}; charset=utf-8")


def _accepted(accept: str) -> formats.Format:
    return next((form for form, kind in TYPES.items() if kind in accept), "json")


def _best(transcripts: list[TranscriptRow]) -> TranscriptRow:
    """The one that is done, else one that may be."""
    order = [TranscriptState.DONE, TranscriptState.WAITING, TranscriptState.FAILED, TranscriptState.SKIPPED]
    return min(transcripts, key=lambda each: order.index(TranscriptState(each.state)))


def _no_transcript(recordings: list[RecordingRow]) -> Problem:
    states = [f"{each.state}, {each.reason}" if each.reason else each.state for each in recordings]
    there_is = f" Of its recordings: {'; '.join(states)}." if states else ""
    return Problem(404, "no_transcript", f"No recording of this call was to be written down.{there_is} See its turns.")
