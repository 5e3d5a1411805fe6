"""Messages for the team: in the journal, and from there to people and servers."""

from dataclasses import replace

from app.call.events import Kind, NumberedEvent
from app.call.journal.digest import TakenMessage, digest
from app.call.tools.tool_calls import Asked
from app.conf.models import TakeMessageTool
from app.jobs.webhooks.messages import message_taken
from app.tools.take_message import TAKEN, take_message
from tests.unit.call.journal.test_journal import RECORD

MESSAGE = {"message": "Please call back.", "name": "Ada", "urgent": True}


async def test_a_message_is_noted_as_it_was_given():
    noted: list = []
    tool = TakeMessageTool(type="take_message")
    said = await take_message(lambda kind, **data: noted.append((kind, data)), Asked("1", tool, MESSAGE))
    assert (said, noted) == (TAKEN, [(Kind.MESSAGE_TAKEN, MESSAGE)])


def test_a_call_shows_its_messages():
    told = digest([NumberedEvent(7, Kind.MESSAGE_TAKEN, 900, MESSAGE), NumberedEvent(8, Kind.CALL_ENDED, 999)])
    assert told.messages == [TakenMessage(900, "Please call back.", "Ada", None, urgent=True)]


def test_servers_are_told_that_there_is_one_and_not_what_it_says():
    told = message_taken(replace(RECORD, direction="inbound"), NumberedEvent(7, Kind.MESSAGE_TAKEN, 900, MESSAGE))
    assert (told["call_id"], told["seq"], told["agent"], told["urgent"]) == (RECORD.id, 7, RECORD.agent, True)
    assert (told["taken_at"] - RECORD.started_at).total_seconds() == 0.9
    assert "Ada" not in str(told)
    assert "call back" not in str(told)
