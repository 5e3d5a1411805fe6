"""A function's signature as a JSON Schema, and a model's arguments as the function's own types."""

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, PydanticUserError, ValidationError, create_model
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from app.errors import ToolError
from app.tools.python.context import ToolContext

MOST_PROBLEMS = 5
_NAMEABLE = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}


class UnusableFunction(Exception):
    """A function that cannot be a tool; the message says why."""


class Signature:
    """What a function takes; raises `UnusableFunction` for one whose arguments cannot be told to a model."""

    def __init__(self, function: Callable[..., Any]) -> None:
        try:
            parameters = list(inspect.signature(function, eval_str=True).parameters.values())
        except Exception as error:  # an annotation is somebody's code
            raise UnusableFunction(f"its annotations cannot be read: {error}") from None
        self.takes_context = bool(parameters) and parameters[0].annotation is ToolContext
        self._names = {f"a{number}": each.name for number, each in enumerate(parameters[self.takes_context :])}
        fields = {own: _field(each) for own, each in zip(self._names, parameters[self.takes_context :], strict=True)}
        try:
            self._model: type[BaseModel] = create_model(
                "arguments", __config__=ConfigDict(extra="forbid", arbitrary_types_allowed=False), **fields
            )
            self.parameters: dict[str, Any] = self._model.model_json_schema(schema_generator=_Plain)
        except (PydanticUserError, TypeError, ValueError) as error:
            raise UnusableFunction(f"no JSON Schema can be made of its parameters: {_first_line(error)}") from None

    def typed(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments in the function's own types, with its defaults; raises `ToolError`."""
        try:
            filled = self._model.model_validate(dict(arguments))
        except ValidationError as error:
            problems = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()[:MOST_PROBLEMS])
            raise ToolError(f"The arguments do not fit: {'; '.join(problems)}.") from None
        return {name: getattr(filled, own) for own, name in self._names.items()}


def _field(parameter: inspect.Parameter) -> Any:
    """The parameter as a field under a name of ours: `json` and `copy` are fine names for it, but not for a model's."""
    if parameter.kind not in _NAMEABLE:
        raise UnusableFunction(f"{parameter}: only parameters that can be given by their names")
    if parameter.annotation is parameter.empty:
        raise UnusableFunction(f"{parameter.name}: has no type")
    default = ... if parameter.default is parameter.empty else parameter.default
    return (_described(parameter.annotation), Field(default, alias=parameter.name))


def _described(annotation: Any) -> Any:
    """A plain text among the annotations describes the parameter as well."""
    if get_origin(annotation) is not Annotated:
        return annotation
    kind, *notes = get_args(annotation)
    notes = [Field(description=note) if isinstance(note, str) else note for note in notes]
    return Annotated[(kind, *notes)]


class _Plain(GenerateJsonSchema):
    """Without titles, which say a name once more, and without a word about defaults that are no JSON."""

    def emit_warning(self, kind: str, detail: str) -> None:
        return

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def generate(self, schema: Any, mode: Any = "validation") -> JsonSchemaValue:
        made = super().generate(schema, mode)
        for each in (made, *made.get("$defs", {}).values()):
            each.pop("title", None)
        made.setdefault("properties", {})
        return made


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
