"""Where Twilio sends the calls of our numbers, and where it should."""

from collections.abc import Collection, Sequence

from app.doctor.report import Check
from app.twilio.numbers import PhoneNumber, changes_for, points_here

GET_WILL_DO = {"voice_method", "voice_fallback_method"}
"""We answer these either way."""


def compare(numbers: Sequence[PhoneNumber], wanted: Collection[str], public_url: str) -> list[Check]:
    """Each of our numbers (`wanted`, and whatever else sends its calls here) beside what its webhooks should be."""
    ours = [one for one in numbers if one.phone_number in wanted or points_here(one, public_url)]
    checks = [_number(one, public_url) for one in ours]
    absent = set(wanted) - {one.phone_number for one in numbers}
    checks += [Check(number, "problem", "no Twilio account of ours has it") for number in sorted(absent)]
    if not checks:
        checks.append(Check("webhooks", "problem", f"no number of our Twilio accounts sends its calls to {public_url}"))
    return checks


def _number(number: PhoneNumber, public_url: str) -> Check:
    wrong = [
        f"{change.field} is {change.before or 'not set'}, should be {change.after or 'not set'}"
        for change in changes_for(number, public_url)
        if change.field not in GET_WILL_DO
    ]
    return Check(number.phone_number, "problem" if wrong else "ok", "\n".join(wrong) or "all webhooks point here")
