"""The part of the carrier's REST API that recordings are read, changed, deleted and heard by."""

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app.errors import CarrierFault
from app.sandbox.twilio.call import SandboxCall
from app.sandbox.twilio.recording_room import RecordingRoom
from app.sandbox.twilio.recordings import SandboxRecording

MEDIA = "audio/x-wav"
STORAGE = "/recording-storage/{recording_sid}.wav"


class Api(Protocol):
    """The API around: who may ask, and about which call."""

    async def answer(self, request: Request, act: Any, *, status: int = 200) -> Response: ...

    def call(self, request: Request) -> SandboxCall: ...


class RecordingsApi:
    """The recordings of one account over REST."""

    def __init__(self, api: Api, room: RecordingRoom) -> None:
        self._api = api
        self._room = room

    def routes(self, account: str) -> list[Route]:
        """The paths below the account's, and the other host's."""
        of_call, one = f"{account}/Calls/{{call_sid}}/Recordings", f"{account}/Recordings/{{recording_sid}}"
        return [
            Route(f"{of_call}.json", self._list, methods=["GET"]),
            Route(f"{of_call}.json", self._start, methods=["POST"]),
            Route(f"{of_call}/{{recording_sid}}.json", self._fetch, methods=["GET"]),
            Route(f"{of_call}/{{recording_sid}}.json", self._update, methods=["POST"]),
            Route(f"{of_call}/{{recording_sid}}.json", self._delete, methods=["DELETE"]),
            Route(f"{account}/Recordings.json", self._list, methods=["GET"]),
            Route(f"{one}.json", self._fetch, methods=["GET"]),
            Route(f"{one}.json", self._delete, methods=["DELETE"]),
            Route(f"{one}.wav", self._sound, methods=["GET"]),
            Route(STORAGE, self._stored_sound, methods=["GET"]),
        ]

    async def _list(self, request: Request) -> Response:
        return await self._api.answer(request, lambda _: self._page(request))

    async def _start(self, request: Request) -> Response:
        return await self._api.answer(request, lambda form: self._started(self._api.call(request), form), status=201)

    async def _fetch(self, request: Request) -> Response:
        return await self._api.answer(request, lambda _: self._recording(request).as_json())

    async def _update(self, request: Request) -> Response:
        return await self._api.answer(request, lambda form: self._updated(request, form))

    async def _delete(self, request: Request) -> Response:
        return await self._api.answer(request, lambda _: self._deleted(request))

    async def _sound(self, request: Request) -> Response:
        return await self._api.answer(request, lambda _: self._sound_of(request))

    async def _stored_sound(self, request: Request) -> Response:
        """What the other host keeps: who asks it with credentials as well as by a signed address is sent away."""
        if "authorization" in request.headers:
            return JSONResponse({"code": "InvalidArgument"}, status_code=400)
        return _wav(self._recording(request), request)

    def _page(self, request: Request) -> dict[str, Any]:
        of_call = request.path_params.get("call_sid") or request.query_params.get("CallSid")
        everything = list(self._room.recordings.values())
        found = [each.as_json() for each in everything if of_call in {None, each.call.call_sid}]
        return {
            "recordings": found,
            "page": 0,
            "page_size": 50,
            "start": 0,
            "end": max(len(found) - 1, 0),
            "uri": f"{request.url.path}?PageSize=50&Page=0",
            "first_page_uri": f"{request.url.path}?PageSize=50&Page=0",
            "next_page_uri": None,
            "previous_page_uri": None,
        }

    def _started(self, call: SandboxCall, form: Mapping[str, str]) -> Mapping[str, object]:
        if call.status != "in-progress":
            raise CarrierFault("Requested resource is not eligible for recording", code=21220)
        return self._room.start_by_form(call, dict(form), with_call=False).as_json()

    def _updated(self, request: Request, form: Mapping[str, str]) -> Mapping[str, object]:
        recording = self._recording(request)
        recording.change(form.get("Status", ""), form.get("PauseBehavior", "silence"))
        return recording.as_json()

    def _deleted(self, request: Request) -> Response:
        self._room.delete(self._recording(request).sid)
        return Response(status_code=204)

    def _sound_of(self, request: Request) -> Response:
        recording = self._recording(request)
        recording.asked += 1
        if recording.status != "completed" or recording.asked <= recording.manners.missing:
            raise CarrierFault(f"The requested resource {request.url.path} was not found", code=20404, status=404)
        if recording.manners.elsewhere:
            path = STORAGE.format(recording_sid=recording.sid)
            return RedirectResponse(f"http://localhost:{request.url.port}{path}?{request.url.query}", status_code=307)
        if recording.asked <= recording.manners.missing + recording.manners.cut:
            return _Half(_wav(recording, request))
        return _wav(recording, request)

    def _recording(self, request: Request) -> SandboxRecording:
        call = self._api.call(request) if "call_sid" in request.path_params else None
        return self._room.find(request.path_params["recording_sid"], call)


def _wav(recording: SandboxRecording, request: Request) -> Response:
    wanted = request.query_params.get("RequestedChannels")
    return Response(recording.wav(int(wanted) if wanted in {"1", "2"} else None), media_type=MEDIA)


class _Half(Response):
    """An answer whose connection breaks in the middle."""

    def __init__(self, whole: Response) -> None:
        super().__init__(bytes(whole.body), media_type=whole.media_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body[: len(self.body) // 2], "more_body": True})
        await asyncio.sleep(0)  # returned without its end, it is cut off by the server below
