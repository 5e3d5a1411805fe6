"""What commands on the database have in common."""

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from app.settings import Settings

if TYPE_CHECKING:
    from app.conf.models import Known
    from app.conf.opening import Opened
    from app.db.audit import Actor


def run(work: "Callable[[Opened], Awaitable[None]]", known: "Known | None" = None) -> None:
    """Do that with the database that the settings name; raises `ParleyError`."""
    from app.conf.opening import open_store  # slow to import, and `--help` needs none of it

    async def opened() -> None:
        async with open_store(Settings.load(), *([known] if known else []), strict=False) as parts:
            await work(parts)

    asyncio.run(opened())


def me(command: str) -> "Actor":
    """Whoever uses that command, for the audit log."""
    from app.db.audit import Actor

    return Actor(f"{getpass.getuser()} (parley {command})")


def refusal(text: str) -> typer.Exit:
    """Say in red why a command ends here; raise what comes back."""
    Console(stderr=True).print(text, style="red", highlight=False, markup=False, soft_wrap=True)
    return typer.Exit(1)
