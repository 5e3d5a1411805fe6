"""Words as they are written, said and asked."""

import pytest

from app.knowledge.languages import config_of, configs_of, language_of
from app.knowledge.question import MAX_TERMS, terms_of
from app.knowledge.spelling import spellings


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("plain words only", ""),
        ("AB-4711", "ab4711 ab 4711"),
        ("24/7", "247 24 7"),
        ("E-Mail", "email e mail"),
        ("www.shop.example", "wwwshopexample www shop example"),
        ("Café Straße Œuvre", "cafe strasse"),
        ("4711", "4711"),
        ("東京都", "東京 京都"),
        ("हिंदी", ""),
    ],
)
def test_a_text_is_found_by_other_spellings_too(text: str, found: str):
    assert spellings(text) == found


def test_a_question_is_its_words_each_once():
    terms = terms_of("What's the price of AB-4711, ab4711 or a Café-crème, the café?")
    assert [term.plain for term in terms] == ["what", "the", "price", "of", "ab4711", "or", "cafe", "creme"]
    code = terms[4]
    assert (code.parts, code.prefix) == (("AB", "4711"), "ab4711")
    assert [term.plain for term in terms_of("料金は?")] == ["料金", "金は"]
    assert [term.plain for term in terms_of("5 a")] == ["5"]
    assert terms_of("?! '") == []
    assert len(terms_of(" ".join(f"word{chr(97 + each)}" for each in range(26)) + " one two")) == MAX_TERMS


def test_nothing_in_a_question_is_more_than_a_word_to_the_database():
    for question in ("a' & !b | (c:*", "x':* <-> y", "\\'); drop table x; --", "'''"):
        for term in terms_of(question):
            assert all(
                each.isalnum() for each in (term.word, term.plain, *term.parts, *([term.prefix] * bool(term.prefix)))
            )


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("We are open on weekdays and you can visit us.", "en"),
        ("Wir sind am Montag für Sie da, und die Tür ist auf.", "de"),
        ("Nous sommes ouverts et vous pouvez venir dans le magasin.", "fr"),
        ("Estamos abiertos y los precios son para todos.", "es"),
        ("AB-4711 12.50", None),
        ("", None),
    ],
)
def test_a_language_is_told_by_its_commonest_words(text: str, language: str | None):
    assert language_of(text) == language


def test_languages_have_the_databases_names():
    assert [config_of(each) for each in ("de", "de-CH", "PT_br", "ja", None)] == [
        "german", "german", "portuguese", "simple", "simple"
    ]  # fmt: skip
    assert configs_of(["en", "en-GB", None]) == ["english", "simple"]
