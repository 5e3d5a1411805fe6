"""The part of the carrier's REST API that a server of calls needs, answering as the real one does."""

import asyncio
import base64
import hmac
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Any, NoReturn
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import ImmutableMultiDict
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from app.errors import CarrierFault
from app.sandbox.twilio.call import SandboxCall
from app.sandbox.twilio.recording_room import RecordingRoom
from app.sandbox.twilio.rest_messages import MessagesApi
from app.sandbox.twilio.rest_numbers import NumbersApi
from app.sandbox.twilio.rest_recordings import RecordingsApi
from app.sandbox.twilio.steps import End, Fetch, Follow
from app.sandbox.twilio.timeline import EndCause

Form = ImmutableMultiDict[str, str]
ACCOUNT = "/2010-04-01/Accounts/{account_sid}"
MAX_TWIML_CHARACTERS = 4000
Act = Callable[[Form], Mapping[str, Any] | Response]
"""Does what was asked; its answer is JSON, or anything else as it is."""


@dataclass(frozen=True, slots=True)
class RestRequest:
    """One request the server made, and how it was answered; status 0 where it got no answer."""

    method: str
    path: str
    form: Form
    status: int


@dataclass(frozen=True, slots=True)
class RestFault:
    """How the API misbehaves; without a status the request hangs until the client gives up."""

    status: int | None
    code: int
    acts: bool = False
    """Whether it does what was asked all the same: only its answer is lost."""


class RestApi:
    """The API over the calls of one account."""

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        calls: Mapping[str, SandboxCall],
        create: Callable[[Form], SandboxCall],
        recordings: RecordingRoom,
    ) -> None:
        self.requests: list[RestRequest] = []
        self.faults: list[RestFault] = []
        self.numbers = NumbersApi(self, account_sid)
        self.texts = MessagesApi(self, account_sid)
        self._account_sid = account_sid
        self._authorization = f"Basic {base64.b64encode(f'{account_sid}:{auth_token}'.encode()).decode()}"
        self._calls = calls
        self._create = create
        self._recordings = RecordingsApi(self, recordings)

    def app(self) -> Starlette:
        """The API as an ASGI application."""
        return Starlette(
            routes=[
                Route(f"{ACCOUNT}/Calls.json", self._list_calls, methods=["GET"]),
                Route(f"{ACCOUNT}/Calls.json", self._create_call, methods=["POST"]),
                Route(f"{ACCOUNT}/Calls/{{call_sid}}.json", self._fetch_call, methods=["GET"]),
                Route(f"{ACCOUNT}/Calls/{{call_sid}}.json", self._update_call, methods=["POST"]),
                *self.numbers.routes(ACCOUNT),
                *self.texts.routes(ACCOUNT),
                *self._recordings.routes(ACCOUNT),
                Route("/{path:path}", self._unknown, methods=["GET", "POST", "DELETE"]),
            ]
        )

    async def _list_calls(self, request: Request) -> Response:
        return await self.answer(request, lambda _: self._page(request.query_params))

    async def _create_call(self, request: Request) -> Response:
        return await self.answer(request, self._created, status=201)

    async def _fetch_call(self, request: Request) -> Response:
        return await self.answer(request, lambda _: call_json(self.call(request)))

    async def _update_call(self, request: Request) -> Response:
        return await self.answer(request, lambda form: self._updated(self.call(request), form))

    async def _unknown(self, request: Request) -> Response:
        return await self.answer(request, lambda _: self._not_found(request))

    async def answer(self, request: Request, act: Act, *, status: int = 200) -> Response:
        """Read the form, do as the faults say, else act; and keep the request."""
        form = Form(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        fault = self.faults.pop(0) if self.faults else None
        if fault and fault.acts:
            act(form)
        if fault and fault.status is None:
            self._keep(request, form, 0)
            await request.receive()  # nothing more comes but the client's going away
            return Response(status_code=504)
        try:
            if fault and fault.status:
                raise CarrierFault("a fault the rehearsal asked for", code=fault.code, status=fault.status)
            self._authorize(request)
            answer = act(form)
        except CarrierFault as error:
            status = error.status or 400
            answer = {
                "code": error.code,
                "message": str(error),
                "more_info": f"https://www.twilio.com/docs/errors/{error.code}",
                "status": status,
            }
        response = answer if isinstance(answer, Response) else JSONResponse(answer, status_code=status)
        self._keep(request, form, response.status_code)
        return response

    def _keep(self, request: Request, form: Form, status: int) -> None:
        self.requests.append(RestRequest(request.method, request.url.path, form, status))

    def _authorize(self, request: Request) -> None:
        given = request.headers.get("authorization", "")
        same = hmac.compare_digest(given.encode(), self._authorization.encode())
        if not same or request.path_params.get("account_sid", self._account_sid) != self._account_sid:
            raise CarrierFault("Authenticate", code=20003, status=401)

    def _not_found(self, request: Request) -> NoReturn:
        raise CarrierFault(f"The requested resource {request.url.path} was not found", code=20404, status=404)

    def call(self, request: Request) -> SandboxCall:
        """The call that the path names."""
        call = self._calls.get(request.path_params["call_sid"])
        return call or self._not_found(request)

    def _page(self, wanted: Mapping[str, str]) -> dict[str, Any]:
        """The calls, newest first; all, or those to and from these numbers."""
        found = [
            call_json(call)
            for call in [*self._calls.values()][::-1]
            if wanted.get("To", call.to) == call.to and wanted.get("From", call.from_) == call.from_
        ]
        return {"calls": found, "page": 0, "page_size": 50}

    def _created(self, form: Form) -> dict[str, Any]:
        for name, code in (("To", 21201), ("From", 21213)):
            if not form.get(name):
                raise CarrierFault(f"No '{name}' number is specified", code=code)
        for name, code in (("To", 21211), ("From", 21212)):
            if not form[name].startswith(("+", "sip:", "client:")):
                raise CarrierFault(f"The '{name}' number {form[name]} is not a valid phone number", code=code)
        if not form.get("Twiml") and not form.get("Url"):
            raise CarrierFault("Url parameter is required", code=21205)
        _check_twiml(form)
        return call_json(self._create(form))

    def _updated(self, call: SandboxCall, form: Form) -> dict[str, Any]:
        """Hang up, cancel or redirect; the answer already shows where the call is going."""
        if call.over:
            raise CarrierFault("Call is not in-progress. Cannot redirect.", code=21220)
        _check_twiml(form)
        if status := form.get("Status"):
            if status not in ("completed", "canceled"):
                raise CarrierFault(f"Invalid call status {status}", code=21218)
            ringing = call.status in ("queued", "ringing")
            if status == "canceled" and not ringing:
                raise CarrierFault("Call is in-progress. Cannot cancel.", code=21220)
            ended = "canceled" if ringing else "completed"
            call.order(End(EndCause.REST, ended))
            return call_json(call) | {"status": ended}
        if twiml := form.get("Twiml"):
            call.order(Follow(twiml))
        elif url := form.get("Url"):
            call.order(Fetch(url, form.get("Method", "POST")))
        return call_json(call)


def _check_twiml(form: Form) -> None:
    if len(form.get("Twiml", "")) > MAX_TWIML_CHARACTERS:
        raise CarrierFault(f"Twiml has more than {MAX_TWIML_CHARACTERS} characters", code=21626)


def call_json(call: SandboxCall) -> dict[str, Any]:
    """A call as the API shows it."""
    account_sid = call.network.account_sid
    return {
        "sid": call.call_sid,
        "account_sid": account_sid,
        "api_version": "2010-04-01",
        "to": call.to,
        "from": call.from_,
        "status": call.status,
        "date_created": format_datetime(call.created_at),
        "direction": call.direction,
        "duration": str(call.duration_s) if call.over else None,
        "uri": f"/2010-04-01/Accounts/{account_sid}/Calls/{call.call_sid}.json",
    }


@asynccontextmanager
async def serving(app: Starlette, host: str, port: int) -> AsyncIterator[str]:
    """Serve an application in this loop, leaving signals alone; gives its origin."""
    config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False, ws="none", http="httptools")
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: HttpToolsProtocol(config=config, server_state=state, app_state={}), host, port
    )
    try:
        yield f"http://{host}:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for connection in list(state.connections):
            connection.transport.close()  # also frees a request that a fault lets hang
        await server.wait_closed()
