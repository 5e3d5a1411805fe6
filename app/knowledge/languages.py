"""Which language a document is in, and what PostgreSQL calls it."""

import re
from collections.abc import Iterable

SIMPLE = "simple"
"""PostgreSQL's name for no language: words are found in their own form only."""
CONFIGS = {
    "ar": "arabic",
    "ca": "catalan",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "eu": "basque",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "nb": "norwegian",
    "ne": "nepali",
    "nl": "dutch",
    "nn": "norwegian",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
    "yi": "yiddish",
}
"""The languages whose words PostgreSQL 14 and later know in all their forms."""
_COMMON = {
    "da": "og det at en den til er som på de med han af for ikke der var jeg har vi kan du eller hvis",
    "de": "der die und das ist nicht wir sie ein eine zu den mit von auf für bei sind oder wird auch dem des",
    "en": "the and of to is in you that it for are on with our we your this be can or from at by will may if not have",
    "es": "el la de que y los las en un una por con para es su no se del al como más nuestro está",
    "fi": "ja on ei se että hän oli ovat kun mutta tai sen voit meidän myös jos ole joka sekä",
    "fr": "le la les et des du de un une est dans pour vous que nous par sur avec au aux ne pas votre",
    "it": "il di che la e un una per è non sono con del della nel dei le gli da si ai alla anche nostro",
    "nl": "de het een en van is op te dat niet zijn voor met u we bij naar ook aan door of onze wordt",
    "no": "og det er på som en til av med for ikke du har vi kan eller hvis fra skal være dette også",
    "pt": "o a os as de que e do da em um uma para com não por mais dos das no na você nosso são",
    "ro": "și de la în cu pe nu un o este sunt pentru din care sau se vă mai ale prin noi",
    "sv": "och att det är som en på för med av till den inte om vi har kan du eller från ett också vår",
    "tr": "ve bir bu için ile da de olarak çok daha gibi en olan ne kadar sonra ya veya değil",
}
_WORDS = {language: frozenset(words.split()) for language, words in _COMMON.items()}
_SAMPLE_CHARACTERS = 20_000
_LEAST_SHARE, _LEAST_LEAD = 0.08, 1.15


def config_of(language: str | None) -> str:
    """PostgreSQL's name for a language like `de` or `de-CH`; `simple` where it does not know it."""
    return CONFIGS.get((language or "").lower().replace("_", "-").partition("-")[0], SIMPLE)


def configs_of(languages: Iterable[str | None]) -> list[str]:
    """The names for all of these, each once."""
    return sorted({config_of(each) for each in languages})


def language_of(text: str) -> str | None:
    """The language that a text is written in, told by its commonest words; None where that is not clear."""
    words = re.findall(r"[^\W\d_]+", text[:_SAMPLE_CHARACTERS].lower())
    shares = {language: sum(map(common.__contains__, words)) for language, common in _WORDS.items()}
    (best, most), (_, next_most) = sorted(shares.items(), key=lambda each: -each[1])[:2]
    clear = most >= max(2.0, _LEAST_SHARE * len(words)) and most >= _LEAST_LEAD * next_most
    return best if clear else None
