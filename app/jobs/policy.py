"""Whether a job may run, and what follows how it went: decisions only, told everything they need."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.jobs.job import JobKind, JobState

FIRST_S, LONGEST_S = 10.0, 3600.0
"""The back-off: doubled from failure to failure, and then any part of it, so that a crowd spreads."""
LONGEST_ASKED_S = 6 * 3600.0
"""Whoever asks us to wait for longer is asked again after this."""
LEAST_ATTEMPTS = 6
"""However old a job is (it may have been paused, or sent round again), it gets as many."""
MOST_CRASHES = 5
"""After so many runs in a row that never came to an end, the job itself is what kills them."""
PAUSE_S = 600.0
"""A paused kind is probed again after this."""

_MINUTE_S, _HOUR_S = 60.0, 3600.0


@dataclass(frozen=True, slots=True)
class Policy:
    """How patient we are with a kind of job."""

    run_s: float
    """One run may take this long."""
    hours: float
    """It is tried for at least this long."""


POLICIES: Mapping[JobKind, Policy] = {
    JobKind.POLL_RECORDING: Policy(run_s=2 * _MINUTE_S, hours=24),
    JobKind.FETCH_RECORDING: Policy(run_s=_HOUR_S, hours=24),
    JobKind.TRANSCRIBE: Policy(run_s=2 * _HOUR_S, hours=24),
    JobKind.DELETE_RECORDING: Policy(run_s=2 * _MINUTE_S, hours=7 * 24),
    JobKind.DELETE_AT_TWILIO: Policy(run_s=2 * _MINUTE_S, hours=7 * 24),
    JobKind.DELIVER: Policy(run_s=2 * _MINUTE_S, hours=28),
}


@dataclass(frozen=True, slots=True)
class Run:
    """Do it now."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Not yet: hand it out again after this."""

    after_s: float


@dataclass(frozen=True, slots=True)
class Drop:
    """It is over already; the queue had not heard of it."""


@dataclass(frozen=True, slots=True)
class Fail:
    """No more tries."""

    reason: str


def on_pick(state: str, *, crashes: int, due_in_s: float, paused_for_s: float) -> Run | Wait | Drop | Fail:
    """What to do with a job that the queue hands to us; `crashes` counts the run that it may have died in."""
    if state not in {JobState.WAITING, JobState.RUNNING}:
        return Drop()
    if crashes >= MOST_CRASHES:
        return Fail(f"poison: {crashes} runs in a row never came to an end, so it may be what ends them")
    wait_s = max(paused_for_s, due_in_s if state == JobState.WAITING else 0)
    return Wait(wait_s) if wait_s > 0 else Run()


def on_failure(
    kind: JobKind, reason: str, *, attempt: int, age_s: float, asked_s: float | None, chance: float
) -> Wait | Fail:
    """Whether to try again, and when; `chance` is a random number from 0 to 1."""
    if attempt >= LEAST_ATTEMPTS and age_s >= POLICIES[kind].hours * _HOUR_S:
        return Fail(f"given up after {attempt} attempts: {reason}")
    if asked_s is not None:
        return Wait(min(max(asked_s, 0), LONGEST_ASKED_S) + 1 + chance * FIRST_S)  # not all at once, and never sooner
    return Wait(1 + chance * min(FIRST_S * 2 ** min(attempt - 1, 20), LONGEST_S))
