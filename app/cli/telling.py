"""Calls in words and tables, for a person at a terminal."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from app.call.journal.digest import Digest, TakenMessage, ToolRun
    from app.call.journal.transcript import Turn
    from app.db.tables import Call, Recording, Transcript
    from app.openai.bill import Bill

_AGO = re.compile(r"(\d{1,5})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def moment(text: str) -> datetime:
    """When `2026-11-21`, `2026-11-21T09:30` (UTC, or with a zone) or `12h` ago was."""
    if ago := _AGO.fullmatch(text):
        return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("write it like 2026-11-21, 2026-11-21T09:30, 90m, 12h or 7d") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def calls_table(calls: "Sequence[Call]") -> Table:
    """A line for each call."""
    table = Table("id", "started (UTC)", "from", "to", "agent", "status", "lasted", "recording")
    table.columns[0].no_wrap = True
    for call in calls:
        cells = (
            str(call.id),
            f"{call.started_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
            call.from_number,
            call.to_number,
            call.agent,
            call.end_reason or call.status,
            _lasted(call),
            call.recording,
        )
        table.add_row(*(plain(cell) for cell in cells))
    return table


def tell_call(
    console: Console,
    call: "Call",
    told: "Digest",
    recordings: "Sequence[tuple[Recording, Transcript | None]]",
    bill: "Bill",
) -> None:
    """The whole call, top to bottom."""
    for line in [*_about(call, told), *_cost(bill)]:
        console.print(plain(line), soft_wrap=True)
    console.print()
    steps = [(turn.at_ms, _turn(turn)) for turn in told.turns] + [(tool.at_ms, _tool(tool)) for tool in told.tools]
    steps += [(message.at_ms, _message(message)) for message in told.messages]
    for at_ms, line in sorted(steps, key=lambda step: step[0]):
        console.print(plain(f"[{_clock(at_ms)}] {line}"), soft_wrap=True)
    if steps and recordings:
        console.print()
    for recording, words in recordings:
        console.print(plain(_recording(recording, words)), soft_wrap=True)


def plain(text: str) -> Text:
    """Words of strangers, which neither style nor steer a terminal."""
    return Text("".join(each if each.isprintable() or each == "\n" else "\ufffd" for each in text))


def _about(call: "Call", told: "Digest") -> list[str]:
    lines = [
        f"{call.from_number} → {call.to_number}, {call.direction}, with {call.agent} (version {call.agent_version})",
        f"{call.started_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC, {_lasted(call)}: {call.end_reason or call.status}",
        f"id {call.id}, {call.call_sid}" + (f", stream {call.attempt + 1}" if call.attempt else ""),
    ]
    if first := told.latency.get("first_mark_ms"):
        lines.append(f"heard {first.p50} ms after the caller stopped (worst {first.max}), {told.answers} answers")
    if told.interruptions:
        lines.append(f"interrupted {told.interruptions} times")
    if tokens := told.usage.get("total_tokens"):
        lines.append(f"{tokens} tokens")
    return lines


def _cost(bill: "Bill") -> list[str]:
    parts = {
        "model": bill.realtime_usd,
        "live transcript": bill.live_transcription_usd,
        "transcripts": bill.transcription_usd,
        "line": bill.telephony_usd,
    }
    told = ", ".join(f"{name} ${amount:.4f}" for name, amount in parts.items() if amount is not None)
    more = " or more" if bill.unknown else ""
    notes = [f"not counted: {reason}" for reason in bill.unknown] + [f"estimated: {part}" for part in bill.estimated]
    return [f"cost ${bill.total_usd:.4f}{more}: {told}", *notes]


def _turn(turn: "Turn") -> str:
    heard = f"  (heard: {turn.heard or 'nothing'})" if turn.heard is not None else ""
    return f"{turn.speaker.capitalize()}: {turn.said}{heard}"


def _tool(tool: "ToolRun") -> str:
    name = f"{tool.server}.{tool.name}" if tool.server else tool.name
    took = f" in {tool.took_ms} ms" if tool.took_ms is not None else ""
    return f"Tool {name}({tool.arguments}) {tool.state}{took}" + (f": {tool.output}" if tool.output else "")


def _message(message: "TakenMessage") -> str:
    who = ", ".join(filter(None, [message.name, message.callback_number]))
    urgent = "Urgent message" if message.urgent else "Message"
    return f"{urgent} for the team{f' from {who}' if who else ''}: {message.message}"


def _recording(recording: "Recording", words: "Transcript | None") -> str:
    lasted = f", {_clock(recording.duration_ms)}" if recording.duration_ms is not None else ""
    line = f"Recording {recording.id} ({recording.source}): {recording.state}{_because(recording.reason)}{lasted}"
    if words is None:
        return line
    cost = f", ${words.cost_usd}" if words.cost_usd is not None else ""
    return (
        f"{line}; transcript {words.state}{_because(words.reason)}{f' by {words.model}' if words.model else ''}{cost}"
    )


def _because(reason: str | None) -> str:
    return f" ({reason})" if reason else ""


def _lasted(call: "Call") -> str:
    if call.ended_at is None:
        return "goes on"
    return _clock(int((call.ended_at - call.started_at).total_seconds() * 1000))


def _clock(ms: int) -> str:
    minutes, seconds = divmod(max(ms, 0) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"
