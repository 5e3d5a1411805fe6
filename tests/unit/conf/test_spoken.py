"""Our own words, where the operator wrote none."""

import pytest

from app.conf.models import AgentConf, language_of, phrases
from app.conf.models.spoken import _PHRASES


@pytest.mark.parametrize(("language", "same"), [("de-CH", "de"), ("zh-TW", "zh-TW"), ("zh-CN", "zh"), ("xx-XX", "en")])
def test_a_language_has_its_own_words_else_those_of_its_family_else_english(language: str, same: str) -> None:
    assert phrases(language) is _PHRASES[same]


def test_an_agent_apologises_in_its_own_language_and_in_its_operators_words() -> None:
    assert AgentConf(language="de-DE").apology == "Es tut uns leid, unser Assistent ist gerade nicht erreichbar."
    assert AgentConf.model_validate({"language": "de-DE", "fallback": {"message": "Weg."}}).apology == "Weg."


def test_every_language_is_complete_and_its_own() -> None:
    said = [each for language in _PHRASES if language != "no" for each in _words(language)]
    assert len(_PHRASES) >= 30
    assert all(text.strip() for text in said)
    assert len(set(said)) == len(said)


def _words(language: str) -> list[str]:
    found = _PHRASES[language]
    return [found.apology, found.leave_message, found.closed]


@pytest.mark.parametrize(
    ("number", "language"),
    [("+4930901820", "de-DE"), ("+81312345678", "ja-JP"), ("+41446681800", None), ("sip:x", None), ("", None)],
)
def test_a_number_tells_the_language_of_its_country_where_that_is_one(number: str, language: str | None) -> None:
    assert language_of(number) == language
