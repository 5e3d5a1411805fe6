"""What is done about whoever picked up."""

import pytest

from app.conf.models import MachinePolicy
from app.outbound.answered import Do, Picked, message_of, what_to_do

HANG_UP, TALK = MachinePolicy(), MachinePolicy(action="talk")
LEAVE = MachinePolicy(action="leave_message", message="Please call <us> back.")


@pytest.mark.parametrize(
    ("answered_by", "who"),
    [
        ("human", Picked.HUMAN),
        ("machine_start", Picked.MACHINE),
        ("machine_end_beep", Picked.MACHINE),
        ("machine_end_silence", Picked.MACHINE),
        ("machine_end_other", Picked.MACHINE),
        ("fax", Picked.FAX),
        ("unknown", Picked.UNKNOWN),
        ("", Picked.UNKNOWN),
        ("parrot", Picked.UNKNOWN),
    ],
)
def test_twilios_words_are_one_of_four(answered_by: str, who: Picked) -> None:
    assert Picked.of(answered_by) is who


@pytest.mark.parametrize("policy", [HANG_UP, TALK, LEAVE])
@pytest.mark.parametrize("answered_by", ["human", "unknown", "", "parrot"])
def test_whoever_may_be_a_person_is_talked_to(policy: MachinePolicy, answered_by: str) -> None:
    assert what_to_do(policy, answered_by) is Do.NOTHING


@pytest.mark.parametrize("policy", [HANG_UP, TALK, LEAVE])
def test_a_fax_is_hung_up_on(policy: MachinePolicy) -> None:
    assert what_to_do(policy, "fax") is Do.HANG_UP


@pytest.mark.parametrize("word", ["machine_end_beep", "machine_end_silence", "machine_end_other"])
def test_a_machine_gets_what_its_agents_policy_says(word: str) -> None:
    assert [what_to_do(each, word) for each in (HANG_UP, TALK, LEAVE)] == [Do.HANG_UP, Do.TELL_MODEL, Do.LEAVE_MESSAGE]


def test_no_message_is_spoken_into_a_greeting_or_where_nothing_is_left_of_it() -> None:
    assert what_to_do(LEAVE, "machine_start") is Do.HANG_UP
    assert what_to_do(LEAVE.model_copy(update={"message": None}), "machine_end_beep") is Do.HANG_UP


def test_what_is_left_is_said_in_the_agents_language_and_then_the_line_closes() -> None:
    assert '<Say language="de-DE">Please call &lt;us&gt; back.</Say><Hangup />' in message_of(LEAVE, "de-DE")
