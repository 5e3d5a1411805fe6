"""What follows from a list of models, or from none."""

from datetime import date

import pytest

from app.conf.models import AgentConf
from app.errors import SessionUnavailable
from app.openai.models import ListedModel
from app.web.api.check_models import Check
from app.web.api.check_openai import seen, unreachable

TODAY = date(2026, 11, 21)
ALL = [ListedModel("gpt-realtime-2.1"), ListedModel("gpt-transcribe")]


def by_name(checks: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("http_401", {"key": False}),
        ("invalid_api_key", {"key": False}),
        ("http_403", {"key": True, "models": False}),
        ("http_500", {"key": False}),
        ("unreachable", {"key": False}),
    ],
)
def test_a_key_that_may_not_list_models_is_not_a_wrong_key(code, found):
    checks = unreachable(SessionUnavailable("no", code=code))
    assert {check.name: check.ok for check in checks} == found


def test_an_account_without_a_realtime_model_is_told():
    checks = by_name(seen([ListedModel("gpt-5"), ListedModel("gpt-realtime-whisper")], {}, TODAY))
    assert (checks["realtime_models"].ok, checks["realtime_models"].detail) == (False, "it sees none")
    assert checks["transcription_models"].detail == "gpt-realtime-whisper"


def test_an_agent_needs_all_the_models_its_calls_ask_for():
    checks = by_name(seen(ALL, {"a": AgentConf(), "b": AgentConf(model="gpt-realtime-1.5")}, TODAY))
    assert checks["agent/a"].ok
    assert (checks["agent/b"].ok, "gpt-realtime-1.5" in checks["agent/b"].detail) == (False, True)


@pytest.mark.parametrize(("last_day", "ok"), [(date(2026, 12, 1), False), (date(2027, 12, 1), True)])
def test_a_needed_model_that_ends_soon_is_a_fault_and_later_a_notice(last_day, ok):
    check = by_name(seen([ListedModel("gpt-realtime-2.1", last_day)], {"a": AgentConf()}, TODAY))["shutdown_dates"]
    assert (check.ok, check.detail) == (ok, f"gpt-realtime-2.1 ends on {last_day}")


def test_a_last_day_that_openai_does_not_tell_is_the_one_we_know():
    check = by_name(seen(ALL, {"a": AgentConf(model="gpt-realtime")}, TODAY))["shutdown_dates"]
    assert (check.ok, "gpt-realtime ends on 2027-01-20" in check.detail) == (False, True)


def test_a_model_that_ends_and_that_nobody_needs_is_no_fault():
    ended = ListedModel("whisper-1", date(2020, 1, 1))
    assert by_name(seen([*ALL, ended], {"a": AgentConf()}, TODAY))["shutdown_dates"].ok
