"""Every event a client may send over a websocket, and the reading of one."""

import json
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, TypeAdapter, ValidationError

from app.sandbox.openai.config_models import MaxOutputTokens, Modalities, Prompt, Reasoning, ResponseAudio, Session
from app.sandbox.openai.refusal import Refusal, refusal_of
from app.sandbox.openai.tool_models import Tool, ToolChoice
from app.sandbox.openai.wire import OMITTED, ShortId, Wire

MAX_APPEND_BYTES = 15 << 20


class InputText(Wire):
    type: Literal["input_text"]
    text: str


class InputAudio(Wire):
    type: Literal["input_audio"]
    audio: str
    transcript: str | None = None


class InputImage(Wire):
    type: Literal["input_image"]
    image_url: Annotated[str, StringConstraints(pattern=r"^data:image/(png|jpeg);base64,")]
    detail: Literal["auto", "low", "high"] = "auto"


class OutputText(Wire):
    type: Literal["output_text"]
    text: str


class Item(Wire):
    id: ShortId = OMITTED
    object: Literal["realtime.item"] = "realtime.item"
    status: Literal["completed", "incomplete", "in_progress"] = "completed"


class SystemMessage(Item):
    type: Literal["message"]
    role: Literal["system"]
    content: list[InputText]


class UserMessage(Item):
    type: Literal["message"]
    role: Literal["user"]
    content: list[Annotated[InputText | InputAudio | InputImage, Field(discriminator="type")]]


class AgentMessage(Item):
    type: Literal["message"]
    role: Literal["assistant"]
    content: list[OutputText]


class FunctionCall(Item):
    type: Literal["function_call"]
    name: str
    arguments: str
    call_id: ShortId = OMITTED


class FunctionCallOutput(Item):
    type: Literal["function_call_output"]
    call_id: ShortId
    output: str


class McpApprovalResponse(Item):
    type: Literal["mcp_approval_response"]
    approval_request_id: str
    approve: bool
    reason: str | None = None


Message = Annotated[SystemMessage | UserMessage | AgentMessage, Field(discriminator="role")]
NewItem = Annotated[
    Message | FunctionCall | FunctionCallOutput | McpApprovalResponse,
    Field(discriminator="type"),
]


class ItemReference(Wire):
    type: Literal["item_reference"]
    id: str


InputItem = Annotated[
    Message | FunctionCall | FunctionCallOutput | McpApprovalResponse | ItemReference, Field(discriminator="type")
]
MetadataKey = Annotated[str, StringConstraints(max_length=64)]
MetadataValue = Annotated[str, StringConstraints(max_length=512)]


class ResponseWish(Wire):
    conversation: Literal["auto", "none"] = "auto"
    input: list[InputItem] = OMITTED
    instructions: str = OMITTED
    output_modalities: Modalities = OMITTED
    audio: ResponseAudio = OMITTED
    tools: list[Tool] = OMITTED
    tool_choice: ToolChoice = OMITTED
    parallel_tool_calls: bool = OMITTED
    reasoning: Reasoning = OMITTED
    max_output_tokens: MaxOutputTokens = OMITTED
    metadata: Annotated[dict[MetadataKey, MetadataValue], Field(max_length=16)] = OMITTED
    prompt: Prompt = OMITTED


class ClientEvent(Wire):
    event_id: Annotated[str, StringConstraints(max_length=512)] = OMITTED


class SessionUpdate(ClientEvent):
    type: Literal["session.update"]
    session: Session


class AudioAppend(ClientEvent):
    type: Literal["input_audio_buffer.append"]
    audio: str


class AudioCommit(ClientEvent):
    type: Literal["input_audio_buffer.commit"]


class AudioClear(ClientEvent):
    type: Literal["input_audio_buffer.clear"]


class ItemCreate(ClientEvent):
    type: Literal["conversation.item.create"]
    item: NewItem
    previous_item_id: str = OMITTED


class ItemDelete(ClientEvent):
    type: Literal["conversation.item.delete"]
    item_id: str


class ItemRetrieve(ClientEvent):
    type: Literal["conversation.item.retrieve"]
    item_id: str


class ItemTruncate(ClientEvent):
    type: Literal["conversation.item.truncate"]
    item_id: str
    content_index: Literal[0]
    audio_end_ms: Annotated[int, Field(ge=0)]


class ResponseCreate(ClientEvent):
    type: Literal["response.create"]
    response: ResponseWish = ResponseWish()


class ResponseCancel(ClientEvent):
    type: Literal["response.cancel"]
    response_id: str = OMITTED


AnyClientEvent = (
    SessionUpdate
    | AudioAppend
    | AudioCommit
    | AudioClear
    | ItemCreate
    | ItemDelete
    | ItemRetrieve
    | ItemTruncate
    | ResponseCreate
    | ResponseCancel
)
_events: TypeAdapter[AnyClientEvent] = TypeAdapter(Annotated[AnyClientEvent, Field(discriminator="type")])


def parse(text: str) -> dict[str, Any]:
    """The JSON object of a frame; raises `Refusal` when it is none."""
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refusal("invalid_json", "The event could not be parsed as JSON.") from error
    if not isinstance(given, dict):
        raise Refusal("invalid_type", "The event is not a JSON object.")
    return given


def check(given: dict[str, Any]) -> AnyClientEvent:
    """The typed event; raises `Refusal` with the API's code and the path of the field that is wrong."""
    try:
        return _events.validate_python(given)
    except ValidationError as error:
        raise refusal_of(error, given) from None
