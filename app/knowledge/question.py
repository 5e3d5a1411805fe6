"""What somebody asks of the documents, word by word."""

from dataclasses import dataclass

from app.knowledge.spelling import folded, pairs_of, parts_of, tokens

MAX_TERMS = 24
_LEAST_PREFIX, _LEAST_CODE_PREFIX = 4, 3


@dataclass(frozen=True, slots=True)
class Term:
    """One word of a question, in the forms in which it may stand in a text."""

    word: str
    """As it was asked, in any of its grammatical forms."""
    plain: str
    """Without accents and dashes, in this very form."""
    parts: tuple[str, ...] = ()
    """A code's letters and digits: together they are as good as the code itself."""
    prefix: str = ""
    """What a longer word may begin with; empty where that would be too little."""


def terms_of(question: str) -> list[Term]:
    """The words of a question, each once; the later ones of a very long question are left out."""
    found: dict[str, Term] = {}
    for token in tokens(question):
        for term in _terms(token):
            found.setdefault(term.plain, term)
    return list(found.values())[:MAX_TERMS]


def _terms(token: str) -> list[Term]:
    parts = parts_of(token)
    if pairs := pairs_of(folded(token)):
        return [Term(pair, pair) for pair in pairs]
    if any(part.isdecimal() for part in parts):
        return [_code(parts)]
    return [_word(part) for part in parts if len(part) > 1]


def _code(parts: list[str]) -> Term:
    plain = folded("".join(parts))
    prefix = plain if len(plain) >= _LEAST_CODE_PREFIX else ""
    return Term(plain, plain, tuple(parts) if len(parts) > 1 else (), prefix)


def _word(part: str) -> Term:
    return Term(part.lower(), folded(part), prefix=part.lower() if len(part) >= _LEAST_PREFIX else "")
