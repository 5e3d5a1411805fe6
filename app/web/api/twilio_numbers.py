"""The numbers of our Twilio accounts: where each sends its calls, and how they come here."""

from typing import Annotated

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field

from app.conf.models import TwilioCoreConf
from app.db import audit
from app.db.engine import db_session
from app.errors import CarrierError
from app.twilio.numbers import PhoneNumber, changes_for, points_here
from app.twilio.rest import TwilioRest
from app.twilio.rest_numbers import change_number, find_number, list_numbers
from app.web.api.auth import Reader, Writer
from app.web.api.paging import PAGE_ITEMS, Cursor, Limit, Page, decode_cursor, page
from app.web.api.routing import api_router
from app.web.api.row_routes import House
from app.web.api.rows import NAME
from app.web.problems import Problem

AccountName = Annotated[
    str, Path(pattern=NAME, description="The name of the account's row in `config/twilio`.", examples=["default"])
]
OneNumber = Annotated[
    str, Path(pattern=r"^\+[1-9][0-9]{4,14}$", description="The number in E.164 form.", examples=["+15551234567"])
]
_REFUSED = {"description": "Twilio refused, or cannot be reached."}

router = api_router("numbers")


class TwilioNumber(BaseModel):
    """A number of the account, as Twilio has it, and what we make of it."""

    number: Annotated[str, Field(examples=["+15551234567"])]
    friendly_name: str | None
    voice_url: Annotated[str | None, Field(description="Where its calls go.")]
    voice_fallback_url: str | None
    status_callback: str | None
    voice_application_sid: Annotated[str | None, Field(description="Where set, Twilio ignores the webhooks above.")]
    trunk_sid: Annotated[str | None, Field(description="As `voice_application_sid`.")]
    connected: Annotated[bool | None, Field(description="Whether all its calls come here; null without PUBLIC_URL.")]
    points_here: Annotated[bool | None, Field(description="Whether any of its webhooks leads here; null as above.")]
    configured: Annotated[bool, Field(description="Whether it has a row of its own in `/numbers`.")]
    agent: Annotated[str | None, Field(description="Who answers it here: its own row's agent, or the default's.")]


class TwilioNumberPage(Page[TwilioNumber]):
    """One page of an account's numbers."""


class NumberChange(BaseModel):
    """One field of the number at Twilio. Null is not set."""

    field: Annotated[str, Field(description="In Twilio's words.", examples=["voice_url"])]
    before: str | None
    after: str | None


class ConnectedNumber(BaseModel):
    """What was changed at Twilio so that the number's calls come here; or what would be."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "number": "+15551234567",
                    "account": "default",
                    "dry_run": False,
                    "changes": [
                        {
                            "field": "voice_url",
                            "before": "https://demo.twilio.com/welcome/voice/",
                            "after": "https://calls.example.com/twilio/voice",
                        }
                    ],
                    "agent": "default",
                    "warnings": [],
                }
            ]
        }
    )

    number: str
    account: Annotated[str, Field(description="The row in `config/twilio` of the account that has it.")]
    dry_run: Annotated[bool, Field(description="Whether nothing was changed, and only looked at.")]
    changes: Annotated[list[NumberChange], Field(description="Empty where its calls come here already.")]
    agent: Annotated[str | None, Field(description="Who answers it; null where nobody does.")]
    warnings: list[str]


@router.get("/twilio/{account}/numbers", responses={502: _REFUSED})
async def list_twilio_numbers(
    account: AccountName, house: House, _: Reader, limit: Limit = PAGE_ITEMS, cursor: Cursor = None
) -> TwilioNumberPage:
    """The numbers of the Twilio account, in their order: where each sends its calls, and whether that is here."""
    conf = await house.store.records.conf("twilio", account)
    assert isinstance(conf, TwilioCoreConf)  # noqa: S101 - what that section holds
    after = decode_cursor(cursor, 1)[0] if cursor else ""
    try:
        numbers = await list_numbers(house.outside.twilio(conf))
    except CarrierError as error:
        raise Problem(502, "carrier_refused", str(error)) from None
    found = sorted((each for each in numbers if each.phone_number > after), key=lambda each: each.phone_number)
    rows = {row.name for row in house.store.rows("number")}
    shown = page(
        found[: limit + 1],
        limit,
        show=lambda each: _shown(each, house, configured=each.phone_number in rows),
        place=lambda each: [each.phone_number],
    )
    return TwilioNumberPage.model_validate(shown, from_attributes=True)


@router.post(
    "/numbers/{number}/connect",
    responses={
        404: {"description": "None of our Twilio accounts has it."},
        409: {"description": "PUBLIC_URL is not set, or no Twilio account is."},
        502: _REFUSED,
    },
)
async def connect_number(
    number: OneNumber,
    house: House,
    holder: Writer,
    dry_run: Annotated[bool, Query(description="Only say what would be changed.")] = False,
) -> ConnectedNumber:
    """Have Twilio send the number's calls here: voice, fallback and status webhooks, and nothing in their way."""
    if house.public_url is None:
        raise Problem(409, "public_url_missing", "PUBLIC_URL is not set: Twilio could not reach this server.")
    try:
        account, rest, found = await _owner(house, number)
        changes = changes_for(found, house.public_url)
        if changes and not dry_run:
            await change_number(rest, found, changes)
    except CarrierError as error:
        raise Problem(502, "carrier_refused", str(error)) from None
    if changes and not dry_run:
        async with db_session(house.engine) as db:
            await audit.note(db, holder.actor, "connect", f"number/{number}")
    agent = _agent(house, number)
    return ConnectedNumber(
        number=number,
        account=account,
        dry_run=dry_run,
        changes=[NumberChange(field=each.field, before=each.before, after=each.after) for each in changes],
        agent=agent,
        warnings=_warnings(house.public_url, agent),
    )


async def _owner(house: House, number: str) -> tuple[str, TwilioRest, PhoneNumber]:
    """The account that has the number, and the number as Twilio has it."""
    names = [row.name for row in house.store.rows("twilio")]
    if not names:
        raise Problem(409, "not_configured", "No Twilio account is set: write config/twilio/default first.")
    for name in names:
        rest = house.outside.twilio(house.store.twilio(name))
        if found := await find_number(rest, number):
            return name, rest, found
    raise Problem(404, "not_found", f"None of our Twilio accounts ({', '.join(names)}) has this number.")


def _agent(house: House, number: str) -> str | None:
    row = house.store.number(number)
    return row.agent if row else None


def _shown(number: PhoneNumber, house: House, *, configured: bool) -> TwilioNumber:
    url = house.public_url
    return TwilioNumber(
        number=number.phone_number,
        friendly_name=number.friendly_name,
        voice_url=number.voice_url or None,
        voice_fallback_url=number.voice_fallback_url or None,
        status_callback=number.status_callback or None,
        voice_application_sid=number.voice_application_sid or None,
        trunk_sid=number.trunk_sid or None,
        connected=not changes_for(number, url) if url else None,
        points_here=points_here(number, url) if url else None,
        configured=configured,
        agent=_agent(house, number.phone_number),
    )


def _warnings(public_url: str, agent: str | None) -> list[str]:
    found = []
    if agent is None:
        found.append("nobody answers this number: give it an agent, or its calls are rejected")
    if public_url.startswith("http:"):
        found.append(f"PUBLIC_URL is {public_url}: good for rehearsals only, the real Twilio cannot reach it")
    return found
