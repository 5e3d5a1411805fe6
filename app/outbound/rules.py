"""Who may be called, by whom and when: decisions only, told everything they need."""

from collections.abc import Collection
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import PhoneNumberType, timezone

from app.conf.models import OpeningHours, OutboundConf, e164, is_open
from app.errors import OutboundRefused

SEARCHED_DAYS = 3
"""Whoever may be called at all may be called within these."""
_UNKNOWN = "Etc/Unknown"
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_PREMIUM = frozenset(
    {PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST, PhoneNumberType.PAGER, PhoneNumberType.VOICEMAIL}
)


class Refusal(StrEnum):
    """Why a call is not placed; these words stay what they are."""

    NUMBER_NOT_E164 = "number_not_e164"
    PREFIX_NOT_ALLOWED = "prefix_not_allowed"
    PREMIUM_NUMBER = "premium_number"
    NOT_OUR_NUMBER = "not_our_number"
    OUTSIDE_CALLING_HOURS = "outside_calling_hours"
    ON_DO_NOT_CALL_LIST = "on_do_not_call_list"
    AGENT_MISSING = "agent_missing"
    NO_PUBLIC_URL = "no_public_url"
    NO_ACCOUNT = "no_account"
    QUEUE_FULL = "queue_full"


def check_number(to: str, conf: OutboundConf) -> None:
    """Raise `OutboundRefused` for a number that may never be called."""
    check_dialable(to)
    if not to.startswith(tuple(conf.allowed_prefixes)) or to.startswith(tuple(conf.denied_prefixes)):
        allowed = ", ".join(conf.allowed_prefixes[:10]) or "none yet"
        message = f"Numbers like this may not be called; outbound/default says which may (allowed: {allowed})."
        raise OutboundRefused(Refusal.PREFIX_NOT_ALLOWED, message)


def check_dialable(to: str) -> None:
    """Raise `OutboundRefused` for what no rule could allow: it is no phone number, or one of a premium service."""
    if not _is_e164(to):
        raise OutboundRefused(Refusal.NUMBER_NOT_E164, "Write the number in E.164 form, like +15551234567.")
    if phonenumbers.number_type(phonenumbers.parse(to)) in _PREMIUM:
        raise OutboundRefused(Refusal.PREMIUM_NUMBER, "Numbers of premium services are never called.")


def choose_caller(from_: str | None, conf: OutboundConf, ours: Collection[str]) -> str:
    """The number that the callee sees, which is always one of ours; raises `OutboundRefused`."""
    chosen = from_ or conf.from_number or (next(iter(ours)) if len(ours) == 1 else None)
    if chosen is None:
        message = "Say in `from` which of our numbers calls, or set from_number of outbound/default."
        raise OutboundRefused(Refusal.NOT_OUR_NUMBER, message)
    if chosen not in ours:
        message = (
            f"{chosen} is none of our numbers: those have a row number/+…, which says who answers when called back."
        )
        raise OutboundRefused(Refusal.NOT_OUR_NUMBER, message)
    return chosen


def check_hours(to: str, conf: OutboundConf, at: datetime) -> None:
    """Raise `OutboundRefused` where it is too early or too late for the callee, with the next moment that is not."""
    zones = zones_of(to, conf)
    if not zones:
        message = "Nobody can tell the callee's time zone by this number; see unknown_zone of outbound/default."
        raise OutboundRefused(Refusal.OUTSIDE_CALLING_HOURS, message)
    if _all_open(zones, conf.calling_hours, at):
        return
    next_at = next_allowed(zones, conf.calling_hours, at)
    when = f"next at {next_at:%Y-%m-%dT%H:%M:%SZ}" if next_at else "at no time, as its zones have no hour in common"
    message = f"The callee may be called {conf.calling_hours} in {_shown(zones)}; {when}."
    raise OutboundRefused(Refusal.OUTSIDE_CALLING_HOURS, message, next_at=next_at)


def zones_of(to: str, conf: OutboundConf) -> tuple[str, ...]:
    """The time zones that the number may be in; none where it tells none and no zone is set for such numbers."""
    parsed = phonenumbers.parse(to)
    for found in (timezone.time_zones_for_number(parsed), timezone.time_zones_for_geographical_number(parsed)):
        if found and _UNKNOWN not in found:
            return tuple(found)
    return (conf.unknown_zone,) if conf.unknown_zone else ()


def next_allowed(zones: Collection[str], span: str, after: datetime) -> datetime | None:
    """The first moment from then on at which all the zones' clocks are within the span; None within the next days."""
    begin = time.fromisoformat(span[:5])
    openings = {
        datetime.combine(after.astimezone(ZoneInfo(zone)).date() + timedelta(days=day), begin, ZoneInfo(zone))
        for zone in zones
        for day in range(-1, SEARCHED_DAYS)
    }
    moments = sorted({after, *(opening.astimezone(UTC) for opening in openings)})
    return next((moment for moment in moments if moment >= after and _all_open(zones, span, moment)), None)


def _all_open(zones: Collection[str], span: str, at: datetime) -> bool:
    return all(is_open(_hours(zone, span), at) for zone in zones)


@lru_cache(maxsize=1000)
def _hours(zone: str, span: str) -> OpeningHours:
    return OpeningHours.model_validate({"zone": zone} | {day: [span] for day in _DAYS})


def _shown(zones: Collection[str]) -> str:
    return ", ".join(zones) if len(zones) <= 3 else f"all of the {len(zones)} time zones that its number fits"


def _is_e164(number: str) -> bool:
    try:
        return e164(number) == number
    except ValueError:
        return False
