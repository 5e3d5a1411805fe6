"""What cannot be undone happens only after the caller had a turn."""

from hypothesis import given
from hypothesis import strategies as st

from app.call.tools.confirming import Confirming

BOOK = {"table": 4, "at": "six"}


def test_a_tool_runs_when_it_is_asked_for_again_after_the_caller_has_had_a_turn():
    confirming = Confirming()
    assert not confirming.may_run("book", BOOK)
    assert not confirming.may_run("book", BOOK)
    confirming.on_caller_turn()
    assert confirming.may_run("book", {"at": "six", "table": 4})


def test_one_turn_of_the_caller_allows_one_run():
    confirming = Confirming()
    confirming.may_run("book", BOOK)
    confirming.on_caller_turn()
    assert confirming.may_run("book", BOOK)
    assert not confirming.may_run("book", BOOK)


def test_other_arguments_are_another_question_and_take_back_the_one_before():
    confirming = Confirming()
    confirming.may_run("book", BOOK)
    confirming.on_caller_turn()
    assert not confirming.may_run("book", BOOK | {"table": 5})
    assert not confirming.may_run("book", BOOK)
    assert not confirming.may_run("cancel", BOOK)


def test_two_calls_of_one_answer_are_asked_about_together():
    confirming = Confirming()
    assert not confirming.may_run("book", {"table": 4})
    assert not confirming.may_run("book", {"table": 5})
    confirming.on_caller_turn()
    assert confirming.may_run("book", {"table": 4})
    assert confirming.may_run("book", {"table": 5})


def test_a_turn_that_began_before_the_question_does_not_count():
    confirming = Confirming()
    confirming.on_caller_turn()
    assert not confirming.may_run("book", BOOK)
    assert not confirming.may_run("book", BOOK)


@given(st.lists(st.sampled_from(["turn", "a", "b", "c"]), max_size=30))
def test_no_run_without_a_question_and_a_turn_behind_it(steps):
    confirming, before = Confirming(), []
    for step in steps:
        if step == "turn":
            confirming.on_caller_turn()
        elif confirming.may_run("tool", {"of": step}):
            asked = max(i for i, (name, ran) in enumerate(before) if name == step and not ran)
            assert ("turn", False) in before[asked:]
            before.append((step, True))
            continue
        before.append((step, False))
