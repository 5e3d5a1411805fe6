"""Whether one more call is taken."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from app.call.admission import Admission, Incoming, Limit
from app.call.events import CallEvent, Kind
from app.conf.models import LimitsConf
from tests.unit.call.journal.test_journal import RECORD

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
ANN, BOB = "+15550100001", "+15550100002"
NONE = LimitsConf(calls_per_caller=None, calls_per_caller_per_minute=None, spend_usd_per_day=None)


class House:
    """A process whose calls are there until they are over."""

    def __init__(self, *, max_calls: int = 100, **limits: object) -> None:
        self.here: set[str] = set()
        self.limits = NONE.model_copy(update=limits)
        self.admission = Admission(max_calls=max_calls, is_here=self.here.__contains__)
        self.at = NOON
        self._calls = 0

    def ring(self, party: str = ANN, agent: str = "default", *, placed: bool = False) -> Limit | None:
        """A call comes in and, unless it is refused, is answered."""
        self._calls += 1
        call = Incoming(f"CB{self._calls}", agent, party)
        with self.admission.answering(call, None if placed else self.limits, self.at) as limit:
            if limit is None:
                self.here.add(call.call_sid)
        return limit

    def rings(self, times: int, party: str = ANN, agent: str = "default") -> list[Limit | None]:
        return [self.ring(party, agent) for _ in range(times)]


def test_a_call_is_counted_until_it_is_over():
    house = House(calls=2)
    assert house.rings(3) == [None, None, Limit.CALLS]
    house.here.discard("CB1")
    assert house.rings(2) == [None, Limit.CALLS]


def test_what_the_process_can_carry_is_a_limit_of_its_own():
    assert House(max_calls=1, calls=5).rings(2) == [None, Limit.CALLS]
    assert House(max_calls=1).rings(2) == [None, Limit.CALLS]


def test_each_agent_has_its_own_places():
    house = House(calls_per_agent=1)
    assert house.rings(2, agent="sales") == [None, Limit.CALLS_PER_AGENT]
    assert house.rings(2, agent="support") == [None, Limit.CALLS_PER_AGENT]


def test_each_caller_has_so_many_calls_at_once():
    house = House(calls_per_caller=2)
    assert house.rings(3, ANN) == [None, None, Limit.CALLS_PER_CALLER]
    assert house.ring(BOB) is None


@pytest.mark.parametrize(
    "hidden",
    ["", "anonymous", "Anonymous", "Restricted", "+266696687", "+86282452253", "sip:anonymous@anonymous.invalid"],
)
def test_callers_who_hide_their_number_are_not_taken_for_one(hidden):
    house = House(calls_per_caller=1, calls_per_caller_per_minute=1)
    assert house.rings(5, hidden) == [None] * 5


def test_a_caller_who_rings_too_often_waits_until_a_minute_has_passed_since():
    house = House(calls_per_caller_per_minute=2)
    for second in (0, 10):
        house.at = NOON + timedelta(seconds=second)
        assert house.ring() is None
    house.at = NOON + timedelta(seconds=59)
    assert house.rings(2) == [Limit.CALLS_PER_CALLER_PER_MINUTE] * 2
    assert house.ring(BOB) is None
    house.at = NOON + timedelta(seconds=60)
    assert house.rings(2) == [None, Limit.CALLS_PER_CALLER_PER_MINUTE]


def test_all_callers_together_may_ring_so_often():
    house = House(calls_per_minute=2)
    assert [house.ring(ANN), house.ring(BOB), house.ring("anonymous")] == [None, None, Limit.CALLS_PER_MINUTE]
    house.at = NOON + timedelta(minutes=1)
    assert house.ring() is None


def test_refusals_are_counted_by_limit_and_hold_nobody_out_longer():
    house = House(calls=1, calls_per_caller_per_minute=2)
    house.rings(4)
    assert house.admission.refused == {"calls": 3}
    house.here.clear()
    assert house.ring() is None  # those refused were no calls


def test_a_call_that_we_placed_counts_and_is_never_refused():
    house = House(calls=1, calls_per_caller_per_minute=1)
    assert house.ring(placed=True) is None
    assert house.ring(placed=True) is None
    assert house.ring(BOB) is Limit.CALLS
    assert house.admission.count(NOON).last_minute == 0


def test_a_place_is_held_while_the_answer_is_made_and_free_where_none_was():
    house = House(calls=1)
    with house.admission.answering(Incoming("CB99", "default", ANN), house.limits, NOON) as limit:
        assert limit is None
        assert house.ring(BOB) is Limit.CALLS
    assert house.ring(BOB) is None


def test_a_webhook_that_comes_again_meanwhile_is_the_same_call():
    house = House(calls=1, calls_per_caller_per_minute=1)
    call = Incoming("CB99", "default", ANN)
    with (
        house.admission.answering(call, house.limits, NOON),
        house.admission.answering(call, house.limits, NOON) as again,
    ):
        assert again is None
    assert house.admission.count(NOON).last_minute == 1


def test_calls_whose_webhook_another_process_had_count_from_their_stream_on():
    house = House(calls_per_agent=1)
    house.here.add(RECORD.call_sid)
    house.admission.listen(RECORD, CallEvent(Kind.CALL_STARTED, 0))
    assert house.ring(agent=RECORD.agent) is Limit.CALLS_PER_AGENT
    assert house.admission.count(NOON).by_agent == {RECORD.agent: 1}


def test_over_the_days_spend_no_call_is_answered_until_midnight_utc():
    house = House(spend_usd_per_day=Decimal("0.5"))
    record = replace(RECORD, started_at=NOON)
    for usd in ("0.2", "0.29"):
        house.admission.listen(record, CallEvent(Kind.RESPONSE_DONE, 1000, {"cost_usd": usd}))
    assert house.ring() is None
    house.admission.listen(record, CallEvent(Kind.RESPONSE_DONE, 2000, {"cost_usd": "0.01"}))
    assert house.ring() is Limit.SPEND
    assert house.admission.refused == {"spend_usd_per_day": 1}
    house.at = NOON + timedelta(hours=12)
    assert house.ring() is None


def test_a_day_without_money_answers_nobody():
    assert House(spend_usd_per_day=Decimal(0)).ring() is Limit.SPEND


def test_limits_hold_from_the_moment_they_are_set():
    house = House()
    assert house.rings(3) == [None] * 3
    house.limits = house.limits.model_copy(update={"calls_per_caller": 3})
    assert house.ring() is Limit.CALLS_PER_CALLER


def test_how_things_stand_is_told():
    house = House()
    house.rings(2, ANN, "sales")
    house.rings(1, BOB, "support")
    house.rings(4, "anonymous", "support")
    count = house.admission.count(NOON)
    assert (count.calls, count.by_agent) == (7, {"sales": 2, "support": 5})
    assert (count.most_of_one_caller, count.last_minute) == (2, 7)
