"""The part of Twilio's REST API that knows an account and its numbers."""

from collections.abc import Sequence
from typing import TypeVar
from urllib.parse import parse_qsl, quote, urlsplit

import httpx
import msgspec

from app.errors import CarrierApiError
from app.twilio.numbers import FieldChange, PhoneNumber
from app.twilio.rest import TwilioRest

PAGE_ITEMS, MOST_PAGES = 1000, 20
_PATH = "/IncomingPhoneNumbers"

T = TypeVar("T")


class Account(msgspec.Struct, frozen=True):
    """How an account stands."""

    status: str
    """`active`, `suspended` or `closed`."""
    type: str = ""
    """`Full` or `Trial`."""
    friendly_name: str = ""


async def read_account(rest: TwilioRest) -> Account:
    """The account itself; an API key may not read it, only an auth token."""
    what = "reading the account"
    return _read(what, await rest.ask(what, rest.request("GET", ".json")), Account)


async def list_numbers(rest: TwilioRest) -> list[PhoneNumber]:
    """The account's numbers, as Twilio has them."""
    params: dict[str, str] = {"PageSize": str(PAGE_ITEMS)}
    found: list[PhoneNumber] = []
    for _ in range(MOST_PAGES):
        page = await _page(rest, params)
        found += page.incoming_phone_numbers
        if not page.next_page_uri:
            break
        params = dict(parse_qsl(urlsplit(page.next_page_uri).query))  # its parameters alone: we choose the host
    return found


async def find_number(rest: TwilioRest, number: str) -> PhoneNumber | None:
    """That number, where the account has it."""
    page = await _page(rest, {"PhoneNumber": number})
    return next((each for each in page.incoming_phone_numbers if each.phone_number == number), None)


async def change_number(rest: TwilioRest, number: PhoneNumber, changes: Sequence[FieldChange]) -> PhoneNumber:
    """Make these changes; the number as Twilio then has it."""
    what = "changing a number"
    form = {_parameter(change.field): change.after or "" for change in changes}
    request = rest.request("POST", f"{_PATH}/{quote(number.sid, safe='')}.json", data=form)
    return _read(what, await rest.ask(what, request), PhoneNumber)


class _Page(msgspec.Struct):
    incoming_phone_numbers: list[PhoneNumber]
    next_page_uri: str | None = None


async def _page(rest: TwilioRest, params: dict[str, str]) -> _Page:
    what = "listing the numbers"
    return _read(what, await rest.ask(what, rest.request("GET", f"{_PATH}.json", params=params)), _Page)


def _read(what: str, response: httpx.Response, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(response.content, type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise CarrierApiError(f"{what}: Twilio's answer cannot be read: {error}") from None


def _parameter(field: str) -> str:
    """Twilio's name of a field in a form: `voice_url` is set as `VoiceUrl`."""
    return "".join(word.title() for word in field.split("_"))
