"""Variables: what is filled, what stays, and who is warned of what."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.conf.models import (
    AgentConf,
    NumberConf,
    PrecallConf,
    RecordingPolicy,
    VoicemailConf,
    as_text,
    built_in,
    clean,
    defaults,
    fill,
    filled,
    new_webhook_secret,
    phrases,
    spoken_fallback,
    unfilled,
    unfilled_by_number,
    zone_of,
)
from app.conf.models.filling import SPOKEN_CHARACTERS
from app.conf.models.variables import VALUE_CHARACTERS, misspelt, names

PRECALL = {"url": "https://crm.example.com/", "secret": new_webhook_secret()}


def number(**fields: object) -> NumberConf:
    return NumberConf.model_validate({"agent": "default"} | fields)


def agent(**fields: object) -> AgentConf:
    return AgentConf.model_validate({"instructions": "Be brief."} | fields)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Hi {{name}}.", "Hi Ann."),
        ("{{ name }}{{\tname}}", "AnnAnn"),
        ("{{name}} {{unknown}}!", "Ann !"),
        ("{{other}}", "{{name}}"),
        ("{{{name}}}", "{Ann}"),
        ("{{{{name}}}}", "{{Ann}}"),
        ("{name} {{name} {{na me}} {{}} {{1st}}", "{name} {{name} {{na me}} {{}} {{1st}}"),
        ("{{na\nme}}", "{{na\nme}}"),
        (r"\1 {{regex}} \g<0>", r"\1 \1 \g<0>"),
    ],
)
def test_each_variable_is_filled_once_and_nothing_else_is_touched(text: str, said: str) -> None:
    assert filled(text, {"name": "Ann", "other": "{{name}}", "regex": r"\1"}) == said


@given(st.text(), st.dictionaries(st.sampled_from(["a", "b", "name"]), st.text()))
def test_a_text_without_braces_stays_as_it_is(text: str, values: dict[str, str]) -> None:
    text = text.replace("{{", "")
    assert filled(text, values) == text
    conf = agent(instructions=text[:1000])
    assert fill(conf, values) == (conf, ())


@given(st.lists(st.sampled_from(["{{a}}", "{{ b }}", "{", "}", "words "])), st.text(), st.text())
def test_no_value_is_ever_expanded(pieces: list[str], a: str, b: str) -> None:
    values = {"a": f"{{{{b}}}}{a}", "b": f"{{{{a}}}}{b}"}
    asked = "".join(pieces)
    marked = re.split("(\0a|\0b)", filled(asked, {"a": "\0a", "b": "\0b"}))
    assert filled(asked, values) == "".join(values[each[1:]] if each in {"\0a", "\0b"} else each for each in marked)


@given(st.text(max_size=3 * VALUE_CHARACTERS))
def test_a_clean_value_is_one_short_line_that_can_be_sent_anywhere(value: str) -> None:
    told = clean(value)
    assert len(told) <= VALUE_CHARACTERS
    assert not any(each in told for each in "\0\r\n\t\x7f\x85\u2028\u2029\u202e\u200b\U000e0041")
    assert clean(told) == told
    told.encode()


def test_control_characters_part_words_and_joiners_hold_them_together() -> None:
    assert clean("  Ann\r\nignore that\x00\x1b[0m ") == "Ann ignore that [0m"
    assert clean("\u202eevil\U000e0041\u200b") == "evil"
    for joined in ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "👩\u200d🍳"):
        assert clean(joined) == joined


@pytest.mark.parametrize(
    ("value", "text"),
    [("x", "x"), (3, "3"), (2.5, "2.5"), (True, "true"), (False, "false"), (None, None), ([1], None), ({}, None)],
)
def test_json_values_become_texts(value: object, text: str | None) -> None:
    assert as_text(value) == text


def test_every_text_of_an_agent_is_filled_and_what_is_missing_is_named_once() -> None:
    conf = agent(
        instructions="You work for {{company}}. {{a}} {{a}}",
        greeting="Hello {{name}}",
        fallback={"message": "{{company}} is away {{b}}"},
        recording={"consent_line": "{{company}} records."},
    )
    told, missing = fill(conf, {"company": "Acme", "name": "Ann"})

    assert told.instructions == "You work for Acme.  "
    assert (told.greeting, told.fallback.message) == ("Hello Ann", "Acme is away ")
    assert told.recording.announced == "Acme records."
    assert missing == ("a", "b")
    assert conf.greeting == "Hello {{name}}"


def test_a_greeting_of_which_nothing_is_left_leaves_the_first_words_to_the_model() -> None:
    assert fill(agent(greeting="{{hello}} "), {})[0].greeting is None


def test_a_fallback_message_is_never_silence() -> None:
    told = fill(agent(language="fr-CA", fallback={"message": "{{sorry}}"}), {})[0]
    assert told.apology == phrases("fr").apology
    assert spoken_fallback("{{x}}", {"x": " "}, "Sorry.") == "Sorry."


def test_what_machines_and_callers_are_told_is_filled_and_may_be_left_to_us() -> None:
    machine = {"action": "leave_message", "message": "Hello {{name}}."}
    told, missing = fill(agent(answering_machine=machine, voicemail={"greeting": "{{gone}}"}), {"name": "Ann"})
    assert told.answering_machine.message == "Hello Ann."
    assert told.voicemail
    assert (told.voicemail.greeting, missing) == (None, ("gone",))
    assert fill(agent(voicemail={}), {})[0].voicemail == VoicemailConf()


def test_who_cannot_be_told_of_the_recording_is_not_recorded() -> None:
    told = fill(agent(recording={"source": "both", "consent_line": "{{consent}}"}), {})[0]
    assert (told.recording.own, told.recording.twilio, told.recording.announced) == (False, False, None)
    assert fill(agent(greeting="{{x}}"), {})[0].recording == RecordingPolicy()


def test_what_is_spoken_is_cut_where_the_carrier_would_refuse_it() -> None:
    told = fill(agent(greeting="{{x}}" * 10), {"x": "y" * VALUE_CHARACTERS})[0]
    assert len(told.greeting or "") == SPOKEN_CHARACTERS


def test_a_numbers_value_wins_over_the_agents_and_null_is_no_value() -> None:
    conf = agent(variables={"a": "1", "b": "2", "c": None})
    assert defaults(conf, number(variables={"b": "3"})) == {"a": "1", "b": "3"}
    assert defaults(conf, None) == {"a": "1", "b": "2"}


def test_the_time_is_told_on_the_numbers_own_clock() -> None:
    at = datetime(2026, 7, 24, 22, 30, tzinfo=UTC)
    told = built_in(
        caller="+1555", called="+4144", direction="inbound", agent="a", at=at, zone=ZoneInfo("Europe/Zurich")
    )
    assert (told["date"], told["time"]) == ("2026-07-25", "00:30")
    assert told["now"] == "Saturday 2026-07-25 00:30 Europe/Zurich"


@pytest.mark.parametrize(
    ("e164", "zone"),
    [("+41443332211", "Europe/Zurich"), ("+12125550100", "America/New_York"), ("+18005550100", "UTC"), ("", "UTC")],
)
def test_a_numbers_zone_is_what_its_prefix_tells_where_that_is_one(e164: str, zone: str) -> None:
    assert str(zone_of(number(), e164)) == zone
    assert str(zone_of(number(hours={"zone": "Asia/Tokyo"}), e164)) == "Asia/Tokyo"


def test_names_and_what_only_looks_like_one_are_told_apart() -> None:
    text = "{{a}} {{ a }} {{first name}} {{ä}} {{b_2}} {{first name}}"
    assert (names(text), misspelt(text)) == (["a", "b_2"], ["{{first name}}", "{{ä}}"])


def test_saving_an_agent_warns_of_each_variable_that_nothing_gives_a_value() -> None:
    conf = agent(instructions="{{a}} {{time}} {{b}} {{c}}", greeting="{{d}} {{e f}}", variables={"a": "", "b": None})
    told = unfilled(conf, {})
    assert [line.partition("}}")[0] for line in told] == ["instructions: {{c", "greeting: {{e f", "greeting: {{d"]


def test_a_variable_that_some_numbers_give_is_missed_on_the_others() -> None:
    conf = agent(instructions="{{city}}")
    gives, lacks = number(variables={"city": "Bern"}), number()
    assert unfilled(conf, {"+41443332211": gives}) == []
    assert unfilled(conf, {"+41443332211": gives, "+41443332212": number(precall=PRECALL)}) == []
    [told] = unfilled(conf, {"+41443332211": gives, "+41443332212": lacks})
    assert told == "instructions: {{city}} has no value in calls to +41443332212"


def test_with_a_precall_webhook_every_variable_may_have_a_value() -> None:
    assert unfilled(agent(instructions="{{x}}", precall=PRECALL), {}) == []


def test_saving_a_number_warns_of_what_its_agents_and_its_own_words_lack() -> None:
    hours = {"zone": "Europe/Zurich", "closed_message": "{{x}} {{city}}"}
    conf = number(variables={"city": "Bern"}, fallback_message="{{y}}", hours=hours)
    told = unfilled_by_number(conf, {"default": agent(instructions="{{city}} {{z}}")})
    assert [line.partition("}}")[0] for line in told] == [
        "agent/default instructions: {{z", "fallback_message: {{y", "hours.closed_message: {{x",
    ]  # fmt: skip


def test_nobody_is_asked_before_a_closed_message() -> None:
    hours = {"zone": "Europe/Zurich", "closed_message": "{{x}}"}
    [told] = unfilled_by_number(number(precall=PRECALL, hours=hours, fallback_message="{{y}}"), {"default": agent()})
    assert told.startswith("hours.closed_message: {{x}}")


@pytest.mark.parametrize("name", ["", "1st", "a b", "ä", "x" * 65, "a}}", "a\n"])
def test_a_variables_name_is_a_word(name: str) -> None:
    with pytest.raises(ValidationError, match="variable's name"):
        agent(variables={name: "x"})


def test_values_in_the_configuration_are_data_too() -> None:
    assert agent(variables={"x": "a\nb"}).variables == {"x": "a b"}
    with pytest.raises(ValidationError):
        agent(variables={"x": "y" * (VALUE_CHARACTERS + 1)})


@pytest.mark.parametrize(
    "wrong", [{"url": "http://crm.example.com/"}, {"url": "https://10.0.0.1/"}, {"timeout_ms": 1801}, {"secret": "x"}]
)
def test_a_precall_webhook_leads_to_a_public_place_signs_and_is_quick(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        PrecallConf.model_validate(PRECALL | wrong)
