"""Numbers of cards, and what an operator names, do not stay in texts."""

import time

import pytest

from app.redaction import CARD, Redactor, compiled

VISA, AMEX, MASTERCARD = "4111111111111111", "378282246310005", "5555555555554444"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (f"My card is {VISA}.", f"My card is {CARD}."),
        ("It is 4111 1111 1111 1111, until 12/27.", f"It is {CARD}, until 12/27."),
        ("3782-822463-10005, please", f"{CARD}, please"),
        ("4.111.1111.1111.1111", CARD),
        (f"{MASTERCARD} or {AMEX}", f"{CARD} or {CARD}"),
        ("four one one one, one one one one, one one one one, one one one one", CARD),
        ("vier eins eins eins eins eins eins eins eins eins eins eins eins eins eins eins ja", f"{CARD} ja"),
        (f'{{"card":"{VISA}","amount":12}}', f'{{"card":"{CARD}","amount":12}}'),
    ],
)
def test_the_number_of_a_card_is_removed_however_it_is_written(said: str, kept: str):
    assert Redactor().text(said) == kept


@pytest.mark.parametrize(
    "said",
    [
        "Call me back at +4915112345678 or 0151 23456789.",
        "The order is 12345678901234.",
        "4111 1111 1111 1112",  # its check digit is wrong
        f"item_{VISA}",
        "We are open from 9 to 18, on Saturdays from 10 to 14.",
        "one or two of us",
        "",
    ],
)
def test_other_numbers_stay(said: str):
    assert Redactor().text(said) == said


def test_a_number_that_is_told_over_several_turns_never_stays_whole():
    redactor = Redactor()
    assert redactor.turn("caller", "It is 4111 1111") == "It is 4111 1111"
    assert redactor.turn("agent", "Yes?") == "Yes?"
    assert redactor.turn("caller", "1111.") == "1111."
    assert redactor.turn("caller", "1111, and my name is Ann.") == f"{CARD}, and my name is Ann."
    assert redactor.turn("caller", "1111") == "1111"


def test_a_piece_of_a_text_has_no_digits_and_is_nothing_where_patterns_may_fit_the_whole():
    assert Redactor().fragment("4111 and") == "•••• and"
    assert Redactor(patterns={"name": "Ann"}).fragment("An") == ""
    assert Redactor(card_numbers=False).fragment("4111 and") == "4111 and"


def test_what_an_operator_names_is_removed_by_its_name_wherever_it_stands():
    redactor = Redactor(card_numbers=False, patterns={"iban": r"\b[A-Z]{2}\d{2}[ \d]{11,30}\b", "name": "(?i)ann"})
    told = {"who": "ANN", "accounts": ["DE89 3704 0044 0532 0130 00"], "count": 1, "card": VISA}
    assert redactor.value(told) == {"who": "[name]", "accounts": ["[iban]"], "count": 1, "card": VISA}


@pytest.mark.parametrize("pattern", ["(", "a*", "", r"(a)\1", "(?=a)b"])
def test_a_pattern_that_cannot_be_used_says_so(pattern: str):
    with pytest.raises(ValueError, match=r"RE2|empty"):
        compiled(pattern)


def test_a_pattern_cannot_be_made_to_hold_up_the_calls():
    redactor = Redactor(card_numbers=False, patterns={"slow": "(a|aa)+$"})
    began_s = time.process_time()
    redactor.text("a" * 5000 + "b")
    assert time.process_time() - began_s < 1  # a backtracking engine takes longer than there is time
