"""What is not kept of a recording's words."""

import contextlib
from collections.abc import Callable, Iterable

from app.conf.models import AgentConf
from app.errors import ConfError
from app.redaction import Redactor


def redactor_of(names: Iterable[str], agent: Callable[[str], AgentConf]) -> Redactor:
    """Removes what any of these agents removes; where all of them are gone, card numbers."""
    confs = []
    for name in names:
        with contextlib.suppress(ConfError):
            confs.append(agent(name).redaction)
    redactor = Redactor(card_numbers=not confs)
    for conf in confs:
        redactor.also(card_numbers=conf.card_numbers, patterns=conf.patterns)
    return redactor
