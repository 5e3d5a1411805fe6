"""When a job runs, waits and ends."""

import pytest

from app.jobs.job import JobKind
from app.jobs.policy import LONGEST_ASKED_S, LONGEST_S, MOST_CRASHES, Drop, Fail, Run, Wait, on_failure, on_pick

HOUR_S = 3600.0


def pick(state="waiting", *, crashes=0, due_in_s=-1.0, paused_for_s=-1.0):
    return on_pick(state, crashes=crashes, due_in_s=due_in_s, paused_for_s=paused_for_s)


def failure(attempt, *, kind=JobKind.DELIVER, age_s=0.0, asked_s=None, chance=1.0):
    return on_failure(kind, "it broke", attempt=attempt, age_s=age_s, asked_s=asked_s, chance=chance)


def test_a_job_that_is_due_runs():
    assert pick() == Run()


def test_a_job_that_is_not_due_waits():
    assert pick(due_in_s=30.0) == Wait(30.0)


def test_a_job_whose_process_died_runs_at_once():
    assert pick("running", crashes=1, due_in_s=30.0) == Run()


def test_a_job_of_a_paused_kind_waits_for_the_pause_or_for_its_own_time():
    assert pick(paused_for_s=600.0) == Wait(600.0)
    assert pick(paused_for_s=10.0, due_in_s=30.0) == Wait(30.0)


@pytest.mark.parametrize("state", ["done", "failed"])
def test_a_job_that_is_over_is_dropped(state):
    assert pick(state) == Drop()


def test_a_job_that_kills_its_process_again_and_again_fails_as_poison():
    assert pick("running", crashes=MOST_CRASHES - 1) == Run()
    decision = pick("running", crashes=MOST_CRASHES)
    assert isinstance(decision, Fail)
    assert "poison" in decision.reason


def test_back_off_doubles_up_to_an_hour():
    waits = [failure(attempt).after_s for attempt in range(1, 40)]
    assert waits[:3] == [11.0, 21.0, 41.0]
    assert waits == sorted(waits)
    assert waits[-1] == 1 + LONGEST_S


def test_back_off_is_any_part_of_that_but_never_nothing():
    assert failure(30, chance=0.0) == Wait(1.0)
    assert failure(30, chance=0.5) == Wait(1.0 + LONGEST_S / 2)


@pytest.mark.parametrize("kind", JobKind)
@pytest.mark.parametrize("chance", [0.02, 0.5, 1.0])
def test_every_kind_is_tried_for_at_least_a_day(kind, chance):
    age_s, attempt = 0.0, 1
    while isinstance(decision := failure(attempt, kind=kind, age_s=age_s, chance=chance), Wait):
        age_s, attempt = age_s + decision.after_s, attempt + 1
    assert age_s >= 24 * HOUR_S


def test_a_job_that_was_paused_for_days_still_gets_its_attempts():
    assert isinstance(failure(1, age_s=100 * HOUR_S), Wait)
    assert isinstance(failure(6, age_s=100 * HOUR_S), Wait) is False


def test_the_other_side_says_when_and_is_not_asked_sooner():
    assert failure(1, asked_s=120.0, chance=0.0).after_s >= 120.0
    assert failure(9, asked_s=120.0, chance=1.0).after_s < 140.0


@pytest.mark.parametrize("asked_s", [1e9, -5.0])
def test_what_the_other_side_says_has_its_limits(asked_s):
    assert 0 < failure(1, asked_s=asked_s).after_s <= LONGEST_ASKED_S + 11
