"""What a service must not be able to tell the model: the secrets that it is asked with."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from app.conf.models import HttpTool
from app.conf.models.tools.placeholders import literals

HIDDEN = "***"
LEAST_CHARACTERS = 8
"""A shorter value of a header is too common a word to be taken out of answers."""
_OPEN = frozenset({"accept", "accept-language", "content-type", "user-agent"})
"""Headers that are no secrets."""


@dataclass(frozen=True, slots=True)
class Hiding:
    """Takes the secrets of a tool out of a text."""

    secrets: tuple[str, ...] = field(repr=False)

    @classmethod
    def of(cls, tool: HttpTool) -> "Hiding":
        """The secrets of that tool."""
        found = {part for secret in _secrets(tool) for part in _parts(secret) if len(part) >= LEAST_CHARACTERS}
        return cls(tuple(sorted(found, key=len, reverse=True)))

    def __call__(self, said: str) -> str:
        """The text without them."""
        for secret in self.secrets:
            said = said.replace(secret, HIDDEN)
        return said


def _secrets(tool: HttpTool) -> Iterable[str]:
    for name, value in tool.headers.items():
        if name.lower() not in _OPEN:
            yield from map(str.strip, literals(value.get_secret_value()))
    if tool.signing_secret:
        yield tool.signing_secret.get_secret_value()


def _parts(secret: str) -> list[str]:
    """The secret, and what of it is secret without the word before it (`Bearer …`, `whsec_…`)."""
    return [secret, secret.rpartition(" ")[2], secret.removeprefix("whsec_")]
