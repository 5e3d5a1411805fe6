"""The part of the carrier's REST API by which an account and its numbers are read and changed."""

from typing import Any, NoReturn, Protocol
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.errors import CarrierFault
from app.sandbox.twilio.webhook import new_sid

FIELDS = {
    "FriendlyName": "friendly_name",
    "VoiceUrl": "voice_url",
    "VoiceMethod": "voice_method",
    "VoiceFallbackUrl": "voice_fallback_url",
    "VoiceFallbackMethod": "voice_fallback_method",
    "StatusCallback": "status_callback",
    "StatusCallbackMethod": "status_callback_method",
    "VoiceApplicationSid": "voice_application_sid",
    "TrunkSid": "trunk_sid",
}
"""What can be changed: the form's words, and those of the answer."""
METHODS = {"GET", "POST"}
NUMBERS = "IncomingPhoneNumbers"


class Api(Protocol):
    """The API around: who may ask."""

    async def answer(self, request: Request, act: Any, *, status: int = 200) -> Response: ...


class NumbersApi:
    """The account and its numbers over REST."""

    def __init__(self, api: Api, account_sid: str) -> None:
        self.numbers: list[dict[str, Any]] = []
        self.account: dict[str, Any] = {
            "sid": account_sid,
            "status": "active",
            "type": "Full",
            "friendly_name": "Rehearsal",
        }
        self._api = api
        self._account_sid = account_sid

    def own(self, number: str, fields: dict[str, Any]) -> None:
        """The account has this number."""
        methods = dict.fromkeys(("voice_method", "voice_fallback_method", "status_callback_method"), "POST")
        names = {"sid": new_sid("PN"), "phone_number": number, "account_sid": self._account_sid}
        self.numbers.append(dict.fromkeys(FIELDS.values()) | names | {"friendly_name": number} | methods | fields)

    def routes(self, account: str) -> list[Route]:
        """The paths below the account's."""
        return [
            Route(f"{account}.json", self._fetch_account, methods=["GET"]),
            Route(f"{account}/{NUMBERS}.json", self._list, methods=["GET"]),
            Route(f"{account}/{NUMBERS}/{{number_sid}}.json", self._fetch, methods=["GET"]),
            Route(f"{account}/{NUMBERS}/{{number_sid}}.json", self._update, methods=["POST"]),
        ]

    async def _fetch_account(self, request: Request) -> Response:
        return await self._api.answer(request, lambda _: self.account)

    async def _list(self, request: Request) -> Response:
        return await self._api.answer(request, lambda _: self._page(request))

    async def _fetch(self, request: Request) -> Response:
        return await self._api.answer(request, lambda _: self._number(request))

    async def _update(self, request: Request) -> Response:
        return await self._api.answer(request, lambda form: self._updated(self._number(request), form))

    def _page(self, request: Request) -> dict[str, Any]:
        wanted = request.query_params.get("PhoneNumber")
        found = [each for each in self.numbers if wanted in {None, each["phone_number"]}]
        size, page = int(request.query_params.get("PageSize", "50")), int(request.query_params.get("Page", "0"))
        more = len(found) > size * (page + 1)
        query = urlencode({"PageSize": size, "Page": page + 1, "PageToken": "PA1"})
        return {
            "incoming_phone_numbers": found[size * page : size * (page + 1)],
            "page": page,
            "page_size": size,
            "next_page_uri": f"{request.url.path}?{query}" if more else None,
        }

    def _number(self, request: Request) -> dict[str, Any]:
        sid = request.path_params["number_sid"]
        return next((each for each in self.numbers if each["sid"] == sid), None) or _not_found(request)

    def _updated(self, number: dict[str, Any], form: Any) -> dict[str, Any]:
        for name, value in form.items():
            if name.endswith("Method") and value not in METHODS:
                raise CarrierFault(f"{name} is not valid: {value}", code=21403)
            if name.endswith(("Url", "Callback")) and value and not value.startswith(("http://", "https://")):
                raise CarrierFault(f"{name} is not a valid URL", code=21402)
        number.update({FIELDS[name]: value or None for name, value in form.items() if name in FIELDS})
        return number


def _not_found(request: Request) -> NoReturn:
    raise CarrierFault(f"The requested resource {request.url.path} was not found", code=20404, status=404)
