"""Tools that an operator brings along: web services."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PrivateAttr, field_validator, model_validator

from app.conf.models.base import Conf
from app.conf.models.pointer import is_pointer
from app.conf.models.tools.base import NO_ARGUMENTS, Description, TimedTool, ToolName
from app.conf.models.tools.placeholders import texts_in
from app.conf.models.tools.schemas import ArgumentsSchema
from app.conf.models.tools.web import (
    BODILESS,
    OUTPUT_PLACE,
    HeaderName,
    HeaderValue,
    check_places,
    check_tool_url,
)
from app.conf.models.variables import names
from app.conf.models.webhooks import Allowable, Secret

OnHangUp = Literal["cancel", "finish"]


def _is_pointer(text: str) -> str:
    if not is_pointer(text):
        raise ValueError("a JSON pointer is empty, or begins with /, like /orders/0/status")
    return text


class OutputMap(Conf):
    """What of an answer the model gets; without a field, all of it."""

    pointer: Annotated[str, Field(max_length=500), AfterValidator(_is_pointer)] | None = None
    """A JSON pointer (RFC 6901) into the answer."""
    template: Annotated[str, Field(min_length=1, max_length=4000)] | None = None
    """A text with `{{/pointer}}`s into the answer (into what `pointer` found, with both)."""

    @field_validator("template")
    @classmethod
    def _has_pointers(cls, value: str | None) -> str | None:
        if wrong := [each for each in OUTPUT_PLACE.findall(value or "") if not is_pointer(each)]:
            raise ValueError(f"{{{{{wrong[0]}}}}} is no pointer into the answer, like {{{{/status}}}}")
        return value


class HttpTool(TimedTool):
    """The agent asks a web service.

    Texts may have `{{args.NAME}}` (the model's arguments), `{{call.id}}`, `{{call.caller}}`, `{{call.called}}`,
    `{{call.agent}}`, `{{digits.NAME}}` and the call's variables, `{{name}}`.
    """

    type: Literal["http"]
    name: ToolName
    description: Description
    parameters: ArgumentsSchema = Field(default_factory=lambda: dict(NO_ARGUMENTS))
    """The arguments' JSON Schema; objects take no other fields than they name, unless they say so."""
    url: Annotated[str, Field(min_length=1, max_length=2048)]
    """https; http only for an address in `allow_private`. Placeholders stand in path and query, percent-encoded, never
    in the host."""
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    headers: Annotated[dict[HeaderName, HeaderValue], Field(max_length=50)] = Field(default_factory=dict)
    """Placeholders may stand in them, but for `{{args.NAME}}`: what opens doors is not the model's to write."""
    query: Annotated[dict[Annotated[str, Field(min_length=1)], str], Field(max_length=50)] = Field(default_factory=dict)
    """What has no value is left out. Of GET and DELETE, arguments that stand in no placeholder come here as well."""
    body: Any = None
    """JSON whose texts may have placeholders; a text that is one placeholder keeps the value's type, and is left out
    where there is none. Without it, all arguments. GET and DELETE have no body."""
    signing_secret: Secret | None = None
    """Signs every request (Standard Webhooks)."""
    allow_private: list[Annotated[Allowable, Field(max_length=253)]] = Field(default_factory=list)
    """Networks, addresses and hosts off the public internet that this tool may lead to."""
    output: OutputMap = OutputMap()
    max_response_bytes: Annotated[int, Field(ge=1, le=1_048_576)] = 262_144
    """A longer answer is a failure."""
    retries: Annotated[int, Field(ge=0, le=3)] = 0
    """How often a request that failed is sent again, with the same idempotency key: only for a service that knows
    such keys, or where twice does no harm."""
    on_hang_up: OnHangUp | None = None
    """Whether it is cancelled when the call ends; without it, only a GET is."""

    _variables: Mapping[str, str] = PrivateAttr(default_factory=dict)

    @property
    def variables(self) -> Mapping[str, str]:
        """What `{{name}}` stands for in the call that this tool was filled for."""
        return self._variables

    @property
    def finishes_after_hang_up(self) -> bool:
        """Whether it goes on when the call ends."""
        return (self.on_hang_up or ("cancel" if self.method == "GET" else "finish")) == "finish"

    @property
    def has_body(self) -> bool:
        """Whether its requests have a body."""
        return self.method not in BODILESS

    def with_variables(self, values: Mapping[str, str]) -> "HttpTool":
        """The tool as one call has it. Values go in when it runs, each as its place needs it."""
        wanted = {name for text in self.texts().values() for name in names(text)}
        filled = self.model_copy()
        filled._variables = {name: value for name, value in values.items() if name in wanted}
        return filled

    def texts(self) -> dict[str, str]:
        """Every text that may have placeholders, by its path."""
        found = {"url": self.url}
        found |= {f"headers.{name}": value.get_secret_value() for name, value in self.headers.items()}
        found |= {f"query.{name}": text for name, text in self.query.items()}
        return found | dict(texts_in(self.body, "body"))

    @model_validator(mode="after")
    def _works(self) -> "HttpTool":
        if self.body is not None and not self.has_body:
            raise ValueError(f"body: a {self.method} has none; its values go into path and query")
        if len({name.lower() for name in self.headers}) < len(self.headers):
            raise ValueError("headers: one of them is there twice")
        for path, text in self.texts().items():
            try:
                check_places(path, text, self.parameters)
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from None
        check_tool_url(self.url, self.allow_private)
        return self
