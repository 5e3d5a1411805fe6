"""An agent's configuration as OpenAI's session object."""

from typing import Any

from pydantic import BaseModel, ValidationError

from app.conf import models as conf
from app.errors import ConfInvalid
from app.openai.constants import may_reason
from app.openai.types.audio import AudioPCMU
from app.openai.types.session import OpenaiRealtimeSessionConfig


def compile_session(agent: conf.AgentConf) -> OpenaiRealtimeSessionConfig:
    """The session that agent asks for; raises `ConfInvalid` where the API would refuse it.

    Reasoning is asked only of models that reason: an agent that was saved long ago shall still answer.
    """
    try:
        return OpenaiRealtimeSessionConfig.model_validate(_asked(agent) | _always(agent))
    except ValidationError as error:
        raise ConfInvalid(conf.explain("session", error)) from None


def _always(agent: conf.AgentConf) -> dict[str, Any]:
    return {
        "model": agent.model,
        "audio": {
            "input": {
                "format": AudioPCMU(),
                "noise_reduction": _plain(agent.noise_reduction),
                "transcription": _plain(agent.transcription),
                "turn_detection": _turn_detection(agent),
            },
            "output": {"format": AudioPCMU(), "voice": _plain(agent.voice), "speed": agent.speed},
        },
        "instructions": agent.instructions,
        "tools": [_tool(tool) for tool in agent.offered],
        "tool_choice": _plain(agent.tool_choice),
        "max_output_tokens": agent.max_output_tokens,
    }


def _asked(agent: conf.AgentConf) -> dict[str, Any]:
    """The fields that most agents leave to the server."""
    reasons = may_reason(agent.model)
    fields = {
        "prompt": _plain(agent.prompt),
        "include": agent.include or None,
        "tracing": _plain(agent.tracing),
        "truncation": _plain(agent.truncation) if agent.truncation != "auto" else None,
        "parallel_tool_calls": agent.parallel_tool_calls if reasons else None,
        "reasoning": {"effort": agent.reasoning_effort} if reasons and agent.reasoning_effort else None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _turn_detection(agent: conf.AgentConf) -> dict[str, Any] | None:
    wanted = agent.turn_detection
    if isinstance(wanted, conf.NoTurnDetection):
        return None
    return _dumped(wanted) | ({"interrupt_response": False} if agent.gates_barge_in else {})


def _tool(tool: conf.ToolConf | conf.StopRecordingTool) -> dict[str, Any]:
    if isinstance(tool, conf.McpTool):
        return {name: value for name, value in _dumped(tool).items() if name != "approve"}  # that is ours to answer
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.told if isinstance(tool, conf.PythonTool) else tool.description,
        "parameters": tool.parameters,
    }


def _plain(value: object) -> Any:
    return _dumped(value) if isinstance(value, BaseModel) else value


def _dumped(value: BaseModel) -> dict[str, Any]:
    """What was said in it; secrets stay wrapped."""
    return value.model_dump(exclude_none=True)


def answers_by_itself(config: OpenaiRealtimeSessionConfig) -> bool:
    """Whether the server starts a response when the caller stops speaking (it does unless told not to)."""
    hearing = config.audio.input if config.audio else None
    if hearing is None or "turn_detection" not in hearing.model_fields_set:
        return True
    return hearing.turn_detection is not None and hearing.turn_detection.create_response is not False
