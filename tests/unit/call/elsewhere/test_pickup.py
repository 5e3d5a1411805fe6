"""A live call hears who picked up."""

from collections.abc import Sequence
from typing import Any

import pytest

from app.call.actions import Action, TellModel
from app.call.elsewhere.pickup import Pickup
from app.call.events import Kind
from app.call.status import EndReason
from app.conf.models import MachinePolicy
from app.errors import CarrierError, CommandRefused

LEAVE = MachinePolicy(action="leave_message", message="Call us.")


class Line:
    """The bridge, the carrier and the journal of one call."""

    def __init__(self) -> None:
        self.ready = True
        self.redirects = True
        self.told: list[Action] = []
        self.ends: list[EndReason] = []
        self.carrier: list[str] = []
        self.notes: list[tuple[Kind, dict[str, Any]]] = []

    async def perform(self, actions: Sequence[Action]) -> bool:
        self.told += actions if self.ready else []
        return self.ready

    def end(self, reason: EndReason) -> None:
        self.ends.append(reason)

    async def hang_up(self, call_sid: str) -> None:
        self.carrier.append(f"hang up {call_sid}")

    async def redirect(self, call_sid: str, words: str) -> None:
        if not self.redirects:
            raise CarrierError("no")
        self.carrier.append(f"say {words.partition('>Call')[2][:4]} {call_sid}")

    def note(self, kind: Kind, **data: Any) -> None:
        self.notes.append((kind, data))


def pickup(line: Line, policy: MachinePolicy) -> Pickup:
    return Pickup(policy, "en-US", bridge=line, carrier=line, call_sid="CA1", note=line.note)  # type: ignore[arg-type]


@pytest.mark.parametrize("who", ["human", "unknown"])
async def test_a_person_is_noted_and_talked_to(who: str):
    line = Line()
    assert await pickup(line, MachinePolicy()).hear(who) == "done"
    assert (line.ends, line.told) == ([], [])
    assert line.notes == [(Kind.ANSWERED_BY, {"answered_by": who, "action": "nothing"})]


async def test_a_machine_ends_the_call_once_however_often_it_is_told():
    line = Line()
    heard = pickup(line, MachinePolicy())
    assert [await heard.hear("machine_start"), await heard.hear("machine_start")] == ["done", "unchanged"]
    await heard.leave()
    assert (line.ends, line.carrier, len(line.notes)) == ([EndReason.VOICEMAIL], ["hang up CA1"], 1)


async def test_after_the_beep_the_line_goes_on_with_the_message():
    line = Line()
    heard = pickup(line, LEAVE)
    await heard.hear("machine_end_beep")
    assert (line.ends, line.carrier) == ([EndReason.VOICEMAIL], [])
    await heard.leave()
    assert line.carrier == ["say  us. CA1"]


async def test_a_machine_that_cannot_be_left_a_message_is_put_through_to_nobody():
    line = Line()
    line.redirects = False
    heard = pickup(line, LEAVE)
    await heard.hear("machine_end_beep")
    await heard.leave()
    assert line.carrier == ["hang up CA1"]


async def test_an_agent_that_talks_to_machines_is_told_of_one_as_soon_as_it_is_there():
    line = Line()
    line.ready = False
    heard = pickup(line, MachinePolicy(action="talk"))
    with pytest.raises(CommandRefused):
        await heard.hear("machine_start")
    assert line.notes == []
    line.ready = True
    assert await heard.hear("machine_start") == "done"
    [told] = line.told
    assert isinstance(told, TellModel)
    assert (told.role, told.respond) == ("system", False)
    assert line.ends == []
