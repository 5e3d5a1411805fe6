"""Calls that we place over Twilio's REST API, and what became of them."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, TypeVar

import httpx
import msgspec

from app.errors import CarrierApiError
from app.twilio.rest import TwilioRest

T = TypeVar("T")

LISTED = 50
"""The newest calls between two numbers; more within a minute there are not."""


class PlacedCall(msgspec.Struct, frozen=True):
    """A call as Twilio shows it."""

    sid: str
    status: str
    date_created: str | None = None

    @property
    def created_at(self) -> datetime | None:
        """When it was made; Twilio tells whole seconds."""
        try:
            found = parsedate_to_datetime(self.date_created or "")
        except ValueError:
            return None
        return found if found.tzinfo else found.replace(tzinfo=UTC)


class _Page(msgspec.Struct):
    calls: list[PlacedCall]


class CallsRest:
    """The calls of one account."""

    def __init__(self, rest: TwilioRest) -> None:
        self._rest = rest

    async def place(self, form: dict[str, Any]) -> PlacedCall:
        """Place a call. Never tried again here: a request without an answer may have done it (see `between`).

        Raises `CarrierApiError`; with a status below 500 there is surely no call.
        """
        what = "placing a call"
        response = await self._rest.ask(what, self._rest.request("POST", "/Calls.json", data=form))
        return _read(what, response, PlacedCall)

    async def between(self, to: str, from_: str, since: datetime) -> list[PlacedCall]:
        """The calls from one number to the other that were made since then, oldest first."""
        what = "looking for a call"
        params = {"To": to, "From": from_, "PageSize": LISTED}
        response = await self._rest.ask(what, self._rest.request("GET", "/Calls.json", params=params))
        newest_first = [call for call in _read(what, response, _Page).calls if (call.created_at or since) >= since]
        return newest_first[::-1]

    async def status(self, call_sid: str) -> str | None:
        """Where the call stands; None where Twilio knows of none."""
        what = "asking after a call"
        try:
            response = await self._rest.ask(what, self._rest.request("GET", f"/Calls/{call_sid}.json"))
        except CarrierApiError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise
        return _read(what, response, PlacedCall).status


def _read(what: str, response: httpx.Response, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(response.content, type=kind)
    except msgspec.DecodeError as error:
        raise CarrierApiError(f"{what}: Twilio's answer cannot be read: {error}") from None
