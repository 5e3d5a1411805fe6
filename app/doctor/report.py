"""What the doctor found, and how it is shown."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from rich.console import Console
from rich.markup import escape
from rich.table import Table

Verdict = Literal["ok", "warning", "problem"]
_COLOURS: dict[Verdict, str] = {"ok": "green", "warning": "yellow", "problem": "red"}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. A problem keeps calls from being answered as they should be."""

    what: str
    verdict: Verdict
    text: str


def show(console: Console, checks: Iterable[Check]) -> None:
    """The checks as a table."""
    table = Table("checked", "", "found")
    for check in checks:
        colour = _COLOURS[check.verdict]
        table.add_row(escape(check.what), f"[{colour}]{check.verdict}[/]", escape(check.text))
    console.print(table)
