"""Tools that do what cannot be undone: the caller is asked first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

ASK_FIRST = (
    "Not done yet. Tell the caller exactly what you are about to do and ask whether you shall. "
    "When they have agreed, call this tool again with the same arguments."
)
"""The answer to a call that the caller has not been asked about."""


@dataclass(frozen=True, slots=True)
class _Question:
    tool: str
    arguments: bytes


class Confirming:
    """What the caller was to be asked, and whether they have had a turn since: one turn, one run.

    Whether they said yes is the model's to judge; that they were heard before anything happened is not.
    """

    def __init__(self) -> None:
        self._questions: dict[_Question, bool] = {}

    def on_caller_turn(self) -> None:
        """The caller has begun to speak, or pressed a key: whatever is open has been put to them."""
        self._questions = dict.fromkeys(self._questions, True)

    def may_run(self, tool: str, arguments: Mapping[str, Any]) -> bool:
        """Whether it was asked about and the caller has had a turn; if not, it counts as asked from here on."""
        question = _Question(tool, msgspec.json.encode(arguments, order="sorted"))
        if self._questions.pop(question, False):
            return True
        # other words for the same thing: what the caller heard before is not what shall be done now
        self._questions = {each: heard for each, heard in self._questions.items() if each.tool != tool or not heard}
        self._questions[question] = False
        return False
