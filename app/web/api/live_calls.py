"""Acting on a call that goes on, whichever server carries it."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Body
from pydantic import BaseModel, ConfigDict, Field

from app.call.commands import (
    ChangeInstructions,
    Command,
    GiveText,
    HangUp,
    Outcome,
    PauseRecording,
    RestartSession,
    ResumeRecording,
    SayWords,
    TransferCall,
    name_of,
)
from app.conf.models.agent import INSTRUCTIONS_CHARACTERS
from app.db.api_keys import KeyHolder
from app.errors import CallNotLive, CallSilent, CallUnknown, CommandRefused, Fault
from app.web.api.auth import CallOperator
from app.web.api.call_filters import CallId
from app.web.api.calls import NO_CALL, House, no_such_call
from app.web.api.routing import api_router
from app.web.deps import Services
from app.web.problems import Problem

WORDS_CHARACTERS = 1000
_WORDS = r"\S"  # something that can be spoken
_STATUSES = {
    "not_ready": 409,
    "unknown_command": 409,
    "transfer_under_way": 409,
    "too_many_transfers": 429,
    "too_many_sessions": 429,
    "carrier_refused": 502,
    "internal_error": 500,
}
_RESPONSES: dict[int | str, dict[str, Any]] = NO_CALL | {
    409: {"description": "`call_not_live`: the call is over. `not_ready`: it has no agent at this moment; try again."},
    504: {
        "description": "`no_answer`: the server that carries the call does not answer, and nothing will be done. "
        "`outcome_unknown`: it has begun with it, and does not say how it went."
    },
}
_TRANSFER_RESPONSES = _RESPONSES | {
    409: {"description": f"{_RESPONSES[409]['description']} `transfer_under_way`: it is being transferred already."},
    422: {
        "description": "`destination_not_allowed`, `number_not_e164`, `premium_number`: never there. Or "
        "`invalid_request`; `errors` say what."
    },
    429: {"description": "`too_many_transfers`: as many as `transfers_per_hour` of `limits/default` allows."},
    502: {"description": "`carrier_refused`: Twilio did not do it, and the caller is still with the agent."},
}
_RESTART_RESPONSES = _RESPONSES | {
    429: {"description": "`too_many_sessions`: the call has had three new sessions in five minutes."},
}

router = api_router("calls", "/calls")

Words = Annotated[str, Field(min_length=1, max_length=WORDS_CHARACTERS, pattern=_WORDS)]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class HangUpAsked(_Asked):
    """How a call shall end."""

    message: Annotated[
        Words | None,
        Field(
            description="The agent says this first, and the line closes when the caller has heard it.",
            examples=["Our office is closing. Thank you for calling, goodbye."],
        ),
    ] = None


class SayAsked(_Asked):
    """What the agent shall say."""

    text: Annotated[
        Words, Field(description="Said word for word, as far as the model obeys.", examples=["One moment."])
    ]


class TextAsked(_Asked):
    """What the model shall know."""

    text: Annotated[Words, Field(examples=["The order of this caller has just been shipped."])]
    role: Annotated[
        Literal["user", "system"],
        Field(description="As if the caller had said it, or as a word from behind the scenes."),
    ] = "user"
    respond: Annotated[bool, Field(description="Whether the agent answers it.")] = True


class InstructionsAsked(_Asked):
    """What the agent is told from now on, in this call only."""

    instructions: Annotated[
        str, Field(max_length=INSTRUCTIONS_CHARACTERS, examples=["You are a friendly agent. Speak only of refunds."])
    ]


class TransferAsked(_Asked):
    """Where the caller shall go."""

    to: Annotated[
        str,
        Field(
            pattern=r"^\+[1-9][0-9]{4,14}$",
            description="In E.164 form: a number under `allowed_dial_prefixes` of the Twilio account, or the fallback "
            "number of the agent or of the called number.",
            examples=["+15551234567"],
        ),
    ]
    announce: Annotated[
        Words | None,
        Field(description="The agent says this first, and the caller hears it.", examples=["I will put you through."]),
    ] = None


class Commanded(BaseModel):
    """What came of a command."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"call_id": "0199f3a0-7c1e-7cc3-98a2-5d1f0c2b7a10", "command": "hang_up", "outcome": "done"}]
        }
    )

    call_id: UUID
    command: Annotated[str, Field(description="As the call's events and the audit log call it.", examples=["hang_up"])]
    outcome: Annotated[
        Outcome,
        Field(
            description="`done`; `under_way`, where it is done as soon as the caller has heard the words; `unchanged`, "
            "where it was so already."
        ),
    ]


@router.post("/{call_id}/hangup", responses=_RESPONSES)
async def hang_up_call(
    call_id: CallId, house: House, holder: CallOperator, asked: Annotated[HangUpAsked | None, Body()] = None
) -> Commanded:
    """End the call: at once, or when the caller has heard a message. It ends as `operator`."""
    return await _order(house, holder, call_id, HangUp(asked.message if asked else None))


@router.post("/{call_id}/say", responses=_RESPONSES)
async def say_in_call(call_id: CallId, house: House, holder: CallOperator, asked: SayAsked) -> Commanded:
    """Let the agent say something; what is being said is said to its end first."""
    return await _order(house, holder, call_id, SayWords(asked.text))


@router.post("/{call_id}/text", responses=_RESPONSES)
async def send_text_to_call(call_id: CallId, house: House, holder: CallOperator, asked: TextAsked) -> Commanded:
    """Give the model a text, which the caller does not hear."""
    return await _order(house, holder, call_id, GiveText(asked.text, asked.role, asked.respond))


@router.post("/{call_id}/instructions", responses=_RESPONSES)
async def update_call_instructions(
    call_id: CallId, house: House, holder: CallOperator, asked: InstructionsAsked
) -> Commanded:
    """Replace the agent's instructions for the rest of this call. The agent itself stays as it is."""
    return await _order(house, holder, call_id, ChangeInstructions(asked.instructions))


@router.post("/{call_id}/transfer", responses=_TRANSFER_RESPONSES)
async def transfer_call(call_id: CallId, house: House, holder: CallOperator, asked: TransferAsked) -> Commanded:
    """Put the caller through to a number; when the two have talked, the call ends here as `transferred`.

    Where nobody answers, the caller comes back to the agent, and the event `transfer.returned` says so. With an
    announcement it happens later (`under_way`): where it fails then, the event is `transfer.failed`, and the caller
    stays with the agent.
    """
    return await _order(house, holder, call_id, TransferCall(asked.to, asked.announce))


@router.post("/{call_id}/recording/pause", responses=_RESPONSES)
async def pause_call_recording(call_id: CallId, house: House, holder: CallOperator) -> Commanded:
    """Keep nothing of what is said from here on; `unchanged` where nothing was being recorded."""
    return await _order(house, holder, call_id, PauseRecording())


@router.post("/{call_id}/recording/resume", responses=_RESPONSES)
async def resume_call_recording(call_id: CallId, house: House, holder: CallOperator) -> Commanded:
    """Record again; `unchanged` where the recording was not paused."""
    return await _order(house, holder, call_id, ResumeRecording())


@router.post("/{call_id}/session/restart", responses=_RESTART_RESPONSES)
async def restart_call_session(call_id: CallId, house: House, holder: CallOperator) -> Commanded:
    """Go on in another session with the model, for one that is stuck: it knows the conversation, and the caller stays.

    What is being said is gone on with. `unchanged` where the session is being replaced already.
    """
    return await _order(house, holder, call_id, RestartSession())


async def _order(house: Services, holder: KeyHolder, call_id: UUID, command: Command) -> Commanded:
    try:
        outcome = await house.commands.order(call_id, command, holder.actor)
    except CallUnknown:
        raise no_such_call() from None
    except CallNotLive as error:
        raise Problem(409, "call_not_live", str(error)) from None
    except CallSilent as error:
        raise Problem(504, "no_answer" if error.safe else "outcome_unknown", str(error)) from None
    except CommandRefused as refusal:
        raise _refusal(refusal) from None
    return Commanded(call_id=call_id, command=name_of(command), outcome=outcome)


def _refusal(refusal: CommandRefused) -> Problem:
    """What has no status of its own is about the number where the call shall go."""
    if status := _STATUSES.get(refusal.code):
        return Problem(status, refusal.code, str(refusal))
    return Problem(422, refusal.code, str(refusal), [Fault("to", str(refusal), refusal.code)])
