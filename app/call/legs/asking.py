"""The flow's actions that concern the model, as its session is asked for them."""

from app.call.actions import (
    AnswerApproval,
    AnswerTool,
    Cancel,
    ForModel,
    Greet,
    Instruct,
    Listen,
    Respond,
    Say,
    TellModel,
    Truncate,
)
from app.realtime.session import RealtimeSessionSender

OF_ONE_SESSION = (Truncate, Cancel, AnswerApproval, Respond, Greet, Listen)
"""What is done with when the session is gone that it was meant for; the rest waits for the next."""


async def ask(sender: RealtimeSessionSender, action: ForModel, *, greeting: str | None) -> None:
    """Ask the session for it; raises `SessionLost`."""
    match action:
        case Truncate(item_id, heard_ms):
            await sender.truncate(item_id, heard_ms)
        case TellModel(text, role, respond):
            await sender.send_text(text, role=role, respond=respond)
        case Instruct(instructions):
            await sender.update(instructions=instructions)
        case Listen(answers):
            await sender.update(answers=answers)
        case AnswerApproval(request_id, approve):
            reason = None if approve else "Nobody can approve this in a call."
            await sender.answer_approval(request_id, approve=approve, reason=reason)
        case Respond():
            await sender.start_response()
        case Say(text, only_words):
            await sender.say(text, only_words=only_words)
        case Greet():
            await (sender.say(greeting) if greeting else sender.start_response())
        case Cancel():
            await sender.cancel()
        case AnswerTool(call, output):
            await sender.send_tool_response(call.call_id, call.name, output)
