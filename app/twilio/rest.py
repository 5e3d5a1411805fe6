"""Twilio's REST API: redirect and end a call, hold its recording."""

import asyncio
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from app.conf.models import TwilioCoreConf
from app.errors import CarrierApiError, ConfMissing

CALL_NOT_IN_PROGRESS = 21220
READ_S = 30.0
"""A long answer may stop coming for this long."""
_CURRENT = "/Recordings/Twilio.CURRENT"


def new_client() -> httpx.AsyncClient:
    """The HTTP client (one TLS context, one pool) that every account shares; it ignores the environment's proxies."""
    return httpx.AsyncClient(trust_env=False, timeout=None)  # noqa: S113 - each request has its own deadline below


class TwilioRest:
    """One account's calls; an `app.call.carrier.Carrier`."""

    def __init__(self, client: httpx.AsyncClient, account: TwilioCoreConf, *, base_url: str, carrier_s: float) -> None:
        self._client = client
        self.account_sid = account.account_sid
        self.account_url = f"{base_url.rstrip('/')}/2010-04-01/Accounts/{account.account_sid}"
        self._auth = _credentials(account)
        self._carrier_s = carrier_s

    async def hang_up(self, call_sid: str) -> None:
        """End the call; a call that is over already is fine."""
        try:
            await self._update(call_sid, {"Status": "completed"})
        except CarrierApiError as error:
            if error.code != CALL_NOT_IN_PROGRESS and error.status != HTTPStatus.NOT_FOUND:
                raise

    async def redirect(self, call_sid: str, twiml: str) -> None:
        """Let the call go on with that TwiML; this ends its stream."""
        await self._update(call_sid, {"Twiml": twiml})

    async def pause_recording(self, call_sid: str) -> None:
        """Let Twilio's recording of the call have silence from here on."""
        await self._update(call_sid, {"Status": "paused", "PauseBehavior": "silence"}, _CURRENT)

    async def resume_recording(self, call_sid: str) -> None:
        """Let Twilio's recording of the call go on."""
        await self._update(call_sid, {"Status": "in-progress"}, _CURRENT)

    async def stop_recording(self, call_sid: str) -> None:
        """End Twilio's recording of the call for good; where none runs any more it is fine."""
        try:
            await self._update(call_sid, {"Status": "stopped"}, _CURRENT)
        except CarrierApiError as error:
            if error.code != CALL_NOT_IN_PROGRESS and error.status != HTTPStatus.NOT_FOUND:
                raise

    async def _update(self, call_sid: str, form: dict[str, str], part: str = "") -> None:
        """Post one change, and once more where Twilio could not take it: saying it twice changes nothing."""
        path = f"/Calls/{quote(call_sid, safe='')}{part}.json"
        try:
            await self._post(path, form)
        except CarrierApiError as error:
            if not _passing(error.status):
                raise
            await asyncio.sleep(self._carrier_s / 10)
            await self._post(path, form)

    async def _post(self, path: str, form: dict[str, str]) -> None:
        await self.ask(f"updating a call ({', '.join(form)})", self.request("POST", path, data=form))

    def request(self, method: str, path: str, **content: Any) -> httpx.Request:
        """A request about something of this account."""
        return self._client.build_request(method, f"{self.account_url}{path}", **content)

    async def ask(self, what: str, request: httpx.Request) -> httpx.Response:
        """Twilio's answer; raises `CarrierApiError` for a refusal, and where none comes in time."""
        try:
            async with asyncio.timeout(self._carrier_s):
                response = await self._client.send(request, auth=self._auth)
        except (httpx.TransportError, TimeoutError) as error:
            raise unreachable(what, error) from error
        if not response.is_success:
            raise _problem(what, response)
        return response

    async def open(self, what: str, request: httpx.Request, *, signed_in: bool) -> httpx.Response:
        """The beginning of an answer, whatever it says: its body is still to be read, and it must be closed."""
        request.extensions["timeout"] = httpx.Timeout(self._carrier_s, read=READ_S).as_dict()
        auth = self._auth if signed_in else None
        try:
            return await self._client.send(request, auth=auth, stream=True, follow_redirects=False)
        except (httpx.TransportError, httpx.InvalidURL) as error:  # the latter from a redirection's broken address
            raise unreachable(what, error) from error


def unreachable(what: str, error: Exception) -> CarrierApiError:
    """What a connection that failed is called."""
    return CarrierApiError(f"{what}: Twilio cannot be reached: {type(error).__name__}")


def account_rest(
    accounts: Iterable[TwilioCoreConf], account_sid: str, client: httpx.AsyncClient, *, base_url: str, carrier_s: float
) -> TwilioRest:
    """REST access to that account; raises `ConfMissing` where it is none of ours."""
    for account in accounts:
        if account.account_sid == account_sid:
            return TwilioRest(client, account, base_url=base_url, carrier_s=carrier_s)
    raise ConfMissing(f"there is no twilio row for the account {account_sid}")


def _passing(status: int | None) -> bool:
    """Whether the same request may fare better a moment later; no status is a connection that failed."""
    return status is None or status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _credentials(account: TwilioCoreConf) -> httpx.BasicAuth:
    if account.api_key_sid and account.api_key_secret:
        return httpx.BasicAuth(account.api_key_sid, account.api_key_secret.get_secret_value())
    return httpx.BasicAuth(account.account_sid, account.auth_tokens[0].get_secret_value())


class _Problem(msgspec.Struct):
    code: int | None = None
    message: str = ""


def _problem(what: str, response: httpx.Response) -> CarrierApiError:
    try:
        problem = msgspec.json.decode(response.content, type=_Problem)
    except msgspec.DecodeError:
        problem = _Problem()
    reason = f"{what}: Twilio answered {response.status_code} (code {problem.code}) {problem.message}".rstrip()
    return CarrierApiError(reason, status=response.status_code, code=problem.code)
