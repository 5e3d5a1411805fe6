"""The numbers of an account, where they send their calls, and where they should."""

import msgspec

PATHS = {"voice_url": "/twilio/voice", "voice_fallback_url": "/twilio/fallback", "status_callback": "/twilio/status"}
"""Twilio's field of each webhook, and our address for it."""
METHODS = {
    "voice_url": "voice_method",
    "voice_fallback_url": "voice_fallback_method",
    "status_callback": "status_callback_method",
}
OVERRIDES = ("voice_application_sid", "trunk_sid")
"""With one of these set, Twilio follows it and ignores the number's own webhooks."""


class PhoneNumber(msgspec.Struct, frozen=True):
    """A number of an account, and where it sends its calls."""

    phone_number: str
    voice_url: str | None = None
    voice_fallback_url: str | None = None
    status_callback: str | None = None
    sid: str = ""
    friendly_name: str | None = None
    voice_method: str | None = None
    voice_fallback_method: str | None = None
    status_callback_method: str | None = None
    voice_application_sid: str | None = None
    trunk_sid: str | None = None


class FieldChange(msgspec.Struct, frozen=True):
    """One field of a number as it is, and as it should be."""

    field: str
    before: str | None
    after: str | None


def changes_for(number: PhoneNumber, public_url: str) -> list[FieldChange]:
    """What keeps the number's calls from coming to that server, all of it; nothing where they do.

    A webhook that differs only in its fragment, in which Twilio is told how often to try again, is right.
    """
    found = []
    for field, path in PATHS.items():
        url, method = f"{public_url}{path}", METHODS[field]
        if bare(getattr(number, field)) != url:
            found.append(FieldChange(field, getattr(number, field) or None, url))
        if (told := getattr(number, method)) not in {None, "POST"}:  # one that is not told is POST
            found.append(FieldChange(method, told, "POST"))
    found += [FieldChange(field, told, None) for field in OVERRIDES if (told := getattr(number, field))]
    return found


def points_here(number: PhoneNumber, public_url: str) -> bool:
    """Whether any of its webhooks leads to that server."""
    return any(bare(getattr(number, field)).startswith(f"{public_url}/") for field in PATHS)


def bare(url: str | None) -> str:
    """Without the fragment."""
    return (url or "").partition("#")[0]
