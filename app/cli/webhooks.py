"""`parley webhooks …`: the servers that are told of events, and what became of each message."""

import getpass
from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from app.cli.house import refusal, run
from app.conf.models import new_webhook_secret
from app.conf.opening import Opened
from app.db import webhooks
from app.db.engine import db_session
from app.db.webhooks import LoggedDelivery
from app.errors import ParleyError

app = typer.Typer(name="webhooks", help="The servers that are told of calls and troubles.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The webhook's name.")]


@app.command("list")
def list_() -> None:
    """List the servers, and what each wants to hear."""

    async def work(opened: Opened) -> None:
        table = Table("name", "url", "events", "agents", "private addresses", "enabled", "secret")
        for row in opened.store.rows("webhook"):
            shown = row.value
            lists = (", ".join(shown[each] or []) for each in ("events", "agents", "allow_private"))
            table.add_row(row.name, shown["url"], *lists, "yes" if shown["enabled"] else "no", shown["secret"])
        Console().print(table)

    _run(work)


@app.command()
def add(
    name: Name,
    url: Annotated[str, typer.Argument(help="Where messages are posted to; https.")],
    event: Annotated[list[str] | None, typer.Option(help="A kind, or a pattern like call.*; default: all.")] = None,
    agent: Annotated[list[str] | None, typer.Option(help="Only what concerns this agent.")] = None,
    allow_private: Annotated[list[str] | None, typer.Option(help="A private network, address or host.")] = None,
) -> None:
    """Add a server. Its secret is made here and shown this once."""
    secret = new_webhook_secret()
    given = {"events": event, "agents": agent, "allow_private": allow_private}
    value = {"url": url, "secret": secret} | {key: each for key, each in given.items() if each}

    async def work(opened: Opened) -> None:
        await opened.store.put("webhook", name, value, by=_writer(), expected_version=0)
        typer.echo(f"webhook/{name} is set. Its secret, shown this once: {secret}")

    _run(work)


@app.command()
def rotate(
    name: Name, finish: Annotated[bool, typer.Option("--finish", help="Sign with the newest secret only.")] = False
) -> None:
    """Give a server a new secret, shown this once; the one before signs as well until `--finish`."""
    secret = new_webhook_secret()

    async def work(opened: Opened) -> None:
        if finish:
            await opened.store.patch("webhook", name, {"previous_secrets": []}, by=_writer())
            typer.echo(f"webhook/{name} signs with one secret.")
            return
        last = opened.store.webhook(name).secret.get_secret_value()
        await opened.store.patch("webhook", name, {"secret": secret, "previous_secrets": [last]}, by=_writer())
        typer.echo(f"webhook/{name} signs with both secrets now. The new one, shown this once: {secret}")

    _run(work)


@app.command()
def deliveries(
    failed: Annotated[bool, typer.Option("--failed", help="Only those that nobody tries any more.")] = False,
    webhook: Annotated[str | None, typer.Option(help="Only those to this server.")] = None,
    most: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
) -> None:
    """List what was sent, newest first, and how it went."""

    async def work(opened: Opened) -> None:
        async with db_session(opened.engine) as db:
            found = await webhooks.list_deliveries(db, failed=failed, webhook=webhook, most=most)
        table = Table("delivery", "message", "event", "webhook", "state", "tries", "last answer", "when")
        for each in found:
            state, when = each.state, each.delivered_at or each.next_try_at or each.tried_at or each.created_at
            row = (each.message_id, each.kind, each.webhook, state, str(each.attempts), _last(each), f"{when:%F %T}")
            table.add_row(str(each.id), *row)
        Console().print(table)

    _run(work)


@app.command()
def replay(sent: Annotated[str, typer.Argument(metavar="ID", help="A delivery's id, or a message's: msg_…")]) -> None:
    """Send again, under the same webhook-id: one delivery, or a message to every server that wants it now."""
    from app.jobs.webhooks import emit

    async def work(opened: Opened) -> None:
        async with db_session(opened.engine) as db:
            servers = await emit.replay(db, sent) if sent.startswith("msg_") else 0
            if not servers and not (_is_uuid(sent) and await emit.redeliver(db, UUID(sent))):
                raise refusal(f"nothing to send: no delivery has the id {sent}, or no server wants that message")
        typer.echo("It is sent as soon as a worker takes it: `parley serve` has one.")

    _run(work)


@app.command()
def test(name: Name) -> None:
    """Send a signed test message now, and show what the server answers; exit status 1 where it does not take it."""
    from app.jobs.webhooks.try_webhook import try_webhook

    async def work(opened: Opened) -> None:
        message, tried = await try_webhook(name, opened.store.webhook(name))
        if tried.status is not None:
            typer.echo(f"{tried.status} {tried.answer}".rstrip())
        if tried.failure:
            raise refusal(f"webhook/{name} did not take it: {tried.failure}")
        typer.echo(f"webhook/{name} took {message.id}.")

    _run(work)


def _last(delivery: LoggedDelivery) -> str:
    return delivery.last_error or (str(delivery.last_status) if delivery.last_status else "")


def _is_uuid(text: str) -> bool:
    try:
        return bool(UUID(text))
    except ValueError:
        return False


def _writer() -> str:
    return f"{getpass.getuser()} (parley webhooks)"


def _run(work: Callable[[Opened], Awaitable[None]]) -> None:
    from app.known import known  # slow to import, and `--help` needs none of it

    try:
        run(work, known())
    except ParleyError as error:
        raise refusal(str(error)) from None
