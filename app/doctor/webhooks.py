"""Where Twilio sends the calls of our numbers, and where it should."""

from collections.abc import Collection, Sequence

from app.doctor.report import Check
from app.twilio.rest import PhoneNumber

PATHS = {"voice_url": "/twilio/voice", "voice_fallback_url": "/twilio/fallback", "status_callback": "/twilio/status"}


def compare(numbers: Sequence[PhoneNumber], wanted: Collection[str], public_url: str) -> list[Check]:
    """Each of our numbers (`wanted`, and whatever else sends its calls here) beside what its webhooks should be."""
    ours = [one for one in numbers if one.phone_number in wanted or _points_here(one, public_url)]
    checks = [_number(one, public_url) for one in ours]
    absent = set(wanted) - {one.phone_number for one in numbers}
    checks += [Check(number, "problem", "no Twilio account of ours has it") for number in sorted(absent)]
    if not checks:
        checks.append(Check("webhooks", "problem", f"no number of our Twilio accounts sends its calls to {public_url}"))
    return checks


def _number(number: PhoneNumber, public_url: str) -> Check:
    wrong = [
        f"{field} is {got or 'not set'}, should be {public_url}{path}"
        for field, path in PATHS.items()
        if _bare(got := getattr(number, field)) != f"{public_url}{path}"
    ]
    return Check(number.phone_number, "problem" if wrong else "ok", "\n".join(wrong) or "all webhooks point here")


def _points_here(number: PhoneNumber, public_url: str) -> bool:
    return any(_bare(getattr(number, field)).startswith(f"{public_url}/") for field in PATHS)


def _bare(url: str | None) -> str:
    """Without the fragment, in which Twilio is told how often to try again."""
    return (url or "").partition("#")[0]
