"""Who may be called, by whom and when."""

from datetime import UTC, datetime

import pytest

from app.conf.models import OutboundConf
from app.errors import OutboundRefused
from app.outbound.rules import Refusal, check_hours, check_number, choose_caller, next_allowed, zones_of

ZURICH, NEW_YORK, TOLL_FREE, SATELLITE = "+41446681800", "+12125550123", "+18002345678", "+881612345678"
OURS = "+15550100100"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def conf(**changes) -> OutboundConf:
    return OutboundConf(**({"allowed_prefixes": ["+41", "+1", "+881"]} | changes))


def refused(check, *arguments) -> OutboundRefused:
    with pytest.raises(OutboundRefused) as error:
        check(*arguments)
    return error.value


def test_nobody_is_called_before_a_prefix_is_allowed():
    assert refused(check_number, ZURICH, OutboundConf()).code == Refusal.PREFIX_NOT_ALLOWED


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("0446681800", Refusal.NUMBER_NOT_E164),
        ("+41 44 668 18 00", Refusal.NUMBER_NOT_E164),
        ("+4144", Refusal.NUMBER_NOT_E164),
        ("sip:x@example.com", Refusal.NUMBER_NOT_E164),
        ("", Refusal.NUMBER_NOT_E164),
        ("+4930123456", Refusal.PREFIX_NOT_ALLOWED),
        ("+18762345678", Refusal.PREFIX_NOT_ALLOWED),
        ("+19002345678", Refusal.PREMIUM_NUMBER),
        ("+41900123456", Refusal.PREMIUM_NUMBER),
    ],
)
def test_numbers_that_are_never_called(number, code):
    assert refused(check_number, number, conf(denied_prefixes=["+1876"])).code == code


def test_a_number_with_an_allowed_prefix_may_be_called():
    check_number(ZURICH, conf(allowed_prefixes=["+4144"]))
    check_number(ZURICH, conf(allowed_prefixes=[ZURICH]))


def test_the_callee_sees_a_number_of_ours_and_no_other():
    assert choose_caller(OURS, conf(), [OURS, ZURICH]) == OURS
    assert choose_caller(None, conf(), [OURS]) == OURS
    assert choose_caller(None, conf(from_number=ZURICH), [OURS, ZURICH]) == ZURICH
    for wish, ours in ((NEW_YORK, [OURS]), (None, [OURS, ZURICH]), (None, []), ("default", [OURS])):
        assert refused(choose_caller, wish, conf(), ours).code == Refusal.NOT_OUR_NUMBER
    assert refused(choose_caller, None, conf(from_number=ZURICH), [OURS]).code == Refusal.NOT_OUR_NUMBER


@pytest.mark.parametrize(
    ("number", "at", "next_at"),
    [
        (ZURICH, "2026-01-15 07:00", None),  # 8 in the morning: winter
        (ZURICH, "2026-01-15 06:59", "2026-01-15 07:00"),
        (ZURICH, "2026-07-15 06:00", None),  # 8 in the morning: summer
        (ZURICH, "2026-07-15 05:59", "2026-07-15 06:00"),
        (ZURICH, "2026-01-15 19:59", None),
        (ZURICH, "2026-01-15 20:00", "2026-01-16 07:00"),  # 9 in the evening
        (ZURICH, "2026-03-28 20:00", "2026-03-29 06:00"),  # clocks go forward in the night
        (ZURICH, "2026-10-24 19:00", "2026-10-25 07:00"),  # and back
        (NEW_YORK, "2026-01-15 07:00", "2026-01-15 13:00"),
        (TOLL_FREE, "2026-01-15 13:00", "2026-01-15 22:00"),  # from Guam's morning to Puerto Rico's evening
        (TOLL_FREE, "2026-01-15 22:30", None),
        (TOLL_FREE, "2026-01-16 01:00", "2026-01-16 22:00"),
    ],
)
def test_people_are_called_by_day_on_all_clocks_that_may_be_theirs(number, at, next_at):
    if next_at is None:
        check_hours(number, conf(), utc(at))
    else:
        refusal = refused(check_hours, number, conf(), utc(at))
        assert (refusal.code, refusal.next_at) == (Refusal.OUTSIDE_CALLING_HOURS, utc(next_at))
        check_hours(number, conf(), utc(next_at))


def test_a_number_that_tells_no_zone_is_called_only_in_one_that_is_set():
    noon = utc("2026-01-15 12:00")
    refusal = refused(check_hours, SATELLITE, conf(), noon)
    assert (refusal.code, refusal.next_at) == (Refusal.OUTSIDE_CALLING_HOURS, None)
    check_hours(SATELLITE, conf(unknown_zone="UTC"), noon)


def test_a_number_nobody_has_is_in_any_zone_of_its_country():
    assert {"America/New_York", "Pacific/Guam"} <= set(zones_of("+15550100123", conf()))


def test_zones_without_a_common_hour_have_no_next_moment():
    zones = ("Europe/Zurich", "Pacific/Auckland")
    assert next_allowed(zones, "12:00-13:00", utc("2026-01-15 00:00")) is None


def test_hours_may_last_over_midnight():
    assert next_allowed(("Europe/Zurich",), "22:00-02:00", utc("2026-01-15 00:30")) == utc("2026-01-15 00:30")
    assert next_allowed(("Europe/Zurich",), "22:00-02:00", utc("2026-01-15 01:30")) == utc("2026-01-15 21:00")
