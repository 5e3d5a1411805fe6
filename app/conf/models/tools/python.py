"""Tools that are Python functions of the operator's."""

from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, ValidationInfo, model_validator

from app.conf.models.known import Known, KnownFunction
from app.conf.models.tools.base import NO_ARGUMENTS, TimedTool, ToolName
from app.conf.models.tools.own_code import OnHangUp


class PythonTool(TimedTool):
    """The agent calls a Python function of the operator's, from the folder of tools or from an installed package."""

    type: Literal["python"]
    name: ToolName
    description: Annotated[str, Field(min_length=1, max_length=4000)] | None = None
    """Without it, the function's docstring."""
    function: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """The function's name, where it is not the tool's."""
    on_hang_up: OnHangUp = "cancel"
    """Whether it goes on when the call ends. A function that is not async cannot be stopped, only left alone."""

    _found: KnownFunction | None = PrivateAttr(default=None)

    @property
    def function_name(self) -> str:
        """The function's name."""
        return self.function or self.name

    @property
    def is_found(self) -> bool:
        """Whether this process has the function; without it the model is not offered the tool."""
        return self._found is not None

    @property
    def told(self) -> str:
        """What the model is told of it."""
        return self.description or (self._found.description if self._found else "") or self.name.replace("_", " ")

    @property
    def parameters(self) -> dict[str, Any]:
        """The arguments' JSON Schema, by the function's signature."""
        return dict(self._found.parameters) if self._found else NO_ARGUMENTS

    @property
    def finishes_after_hang_up(self) -> bool:
        """Whether it goes on when the call ends, within its time."""
        return self.on_hang_up == "finish"

    @model_validator(mode="after")
    def _find(self, info: ValidationInfo) -> "PythonTool":
        if isinstance(info.context, Known):
            self._found = (info.context.functions or {}).get(self.function_name)
        return self
