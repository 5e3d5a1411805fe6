"""A call's events as lines that a person at a terminal likes to read."""

from collections.abc import Sequence
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from app.call.events import Kind, NumberedEvent
from app.call.journal.transcript import Turn
from app.recordings.segments import Segment
from app.sandbox.story import Step
from app.sandbox.twilio.timeline import AgentStarted, AgentStopped, CallerStarted, CallerStopped, Moment, StreamStarted


def tell(event: NumberedEvent) -> str | None:
    """One line of markup for what happened; None for what needs no words."""
    data = event.data
    match event.kind:
        case Kind.AGENT_TRANSCRIPT:
            words = f"[cyan]agent [/cyan]  {escape(data['text'])}"
        case Kind.CALLER_TRANSCRIPT:
            words = f"[green]caller[/green]  {escape(data['text'])}"
        case Kind.AGENT_INTERRUPTED:
            words = (
                f"[yellow]cut   [/yellow]  the caller interrupts after {data['heard_ms']:,} of {data['sent_ms']:,} ms"
                f" sent; heard: “{escape(data['heard'])} …”"
            )
        case Kind.TOOL_CALLED:
            words = f"[magenta]tool  [/magenta]  {data['name']} {escape(data['arguments'])}"
        case Kind.TOOL_ANSWERED | Kind.TOOL_FAILED:
            words = f"[magenta]tool  [/magenta]  {data['name']} → {escape(data['output'])} ({data['took_ms']} ms)"
        case Kind.SESSION_ERROR:
            words = f"[red]error [/red]  {escape(str(data['message']))}"
        case Kind.CALL_ENDED:
            words = f"[bold]end   [/bold]  {data['reason']}"
        case _:
            return None
    return f"{event.at_ms / 1000:6.2f} s  {words}"


def beside(turns: Sequence[Turn], segments: Sequence[Segment]) -> Table:
    """The recording in words, beside what was written down while they talked; cut turns as they were heard."""
    table = Table("from", "to", "", "live", "from the recording", title="the call in words", title_justify="left")
    left = list(segments)
    rows: list[tuple[int, int, str, str, str]] = []
    for turn in turns:
        until_ms = turn.until_ms or turn.at_ms
        ours = [each for each in left if each.speaker == turn.speaker and _overlap(each, turn.at_ms, until_ms) > 0]
        left = [each for each in left if each not in ours]
        live = turn.said if turn.heard is None else f"{turn.heard} …"
        rows.append((turn.at_ms, until_ms, turn.speaker, live, " ".join(each.text for each in ours)))
    rows += [(each.start_ms, each.end_ms, each.speaker, "", each.text) for each in left]
    for at_ms, until_ms, speaker, live, written in sorted(rows):
        colour = "cyan" if speaker == "agent" else "green"
        times = (f"{at_ms / 1000:.1f}", f"{until_ms / 1000:.1f}")
        table.add_row(*times, f"[{colour}]{speaker}[/{colour}]", escape(live), escape(written))
    return table


def _overlap(segment: Segment, at_ms: int, until_ms: int) -> int:
    return min(segment.end_ms, until_ms) - max(segment.start_ms, at_ms)


def latencies(moments: Sequence[Moment]) -> Table:
    """What the caller waited for, measured at the caller's end of the line."""
    table = Table("latency, as the caller hears it", "ms", title_justify="left")
    waited: float | None = None
    spoke_at_ms, interrupted = 0.0, False
    first, speaking = True, False
    for moment in moments:
        match moment:
            case StreamStarted():
                waited = moment.at_ms
            case AgentStarted():
                if waited is not None:
                    what = "answer → agent's first word" if first else "caller stops → agent's first word"
                    table.add_row(what, f"{moment.at_ms - waited:,.0f}")
                first, speaking, waited = False, True, None
            case CallerStarted():
                spoke_at_ms, interrupted = moment.at_ms, speaking
            case AgentStopped(cleared=cleared):
                if cleared and interrupted:
                    table.add_row("caller barges in → silence", f"{moment.at_ms - spoke_at_ms:,.0f}")
                speaking = False
            case CallerStopped():
                waited = moment.at_ms
    return table


def verdict(steps: Sequence[Step]) -> Table:
    """The story, step by step."""
    table = Table("step of the story", "happened")
    for step in steps:
        table.add_row(step.what, "[green]yes[/green]" if step.happened else "[red]NO[/red]")
    return table


def files(paths: Sequence[Path]) -> str:
    """Where everything lies."""
    return "\n".join(f"  {path}" for path in paths)
