"""An agent's configuration as OpenAI's session object, and whether the server agreed to it."""

from collections.abc import Mapping
from typing import Any, assert_never

from pydantic import ValidationError

from app.conf import models as conf
from app.errors import ConfInvalid
from app.openai.constants import may_reason
from app.openai.types.audio import (
    AudioInput,
    AudioOutput,
    AudioPCMU,
    AudioTranscription,
    NoiseReduction,
    OpenaiRealtimeSessionConfigAudio,
    SemanticVad,
    ServerVad,
)
from app.openai.types.session import OpenaiRealtimeSessionConfig, OpenaiRealtimeTool, Reasoning


def compile_session(agent: conf.AgentConf) -> OpenaiRealtimeSessionConfig:
    """The session that agent asks for; raises `ConfInvalid` where the API would refuse it."""
    effort = agent.reasoning_effort if may_reason(agent.model) else None
    try:
        return OpenaiRealtimeSessionConfig(
            model=agent.model,
            audio=OpenaiRealtimeSessionConfigAudio(input=_hearing(agent), output=_speaking(agent)),
            instructions=agent.instructions,
            tools=[
                OpenaiRealtimeTool(name=tool.name, description=tool.description, parameters=tool.parameters)
                for tool in agent.tools
            ],
            tool_choice="auto",
            max_output_tokens=agent.max_output_tokens,
            reasoning=Reasoning(effort=effort) if effort else None,
        )
    except ValidationError as error:
        raise ConfInvalid(conf.explain("session", error)) from None


def _hearing(agent: conf.AgentConf) -> AudioInput:
    return AudioInput(
        format=AudioPCMU(),
        noise_reduction=NoiseReduction(type=agent.noise_reduction) if agent.noise_reduction else None,
        transcription=AudioTranscription(model=agent.transcription_model) if agent.transcription_model else None,
        turn_detection=_turn_detection(agent.turn_detection),
    )


def _speaking(agent: conf.AgentConf) -> AudioOutput:
    return AudioOutput(format=AudioPCMU(), voice=agent.voice, speed=agent.speed)


def _turn_detection(wanted: conf.ServerVad | conf.SemanticVad) -> ServerVad | SemanticVad:
    match wanted:
        case conf.ServerVad():
            return ServerVad(**wanted.model_dump(exclude_none=True), create_response=True)
        case conf.SemanticVad():
            return SemanticVad(**wanted.model_dump(exclude_none=True), create_response=True)
        case _:
            assert_never(wanted)


def answers_by_itself(config: OpenaiRealtimeSessionConfig) -> bool:
    """Whether the server starts a response when the caller stops speaking (it does unless told not to)."""
    hearing = config.audio.input if config.audio else None
    if hearing is None or "turn_detection" not in hearing.model_fields_set:
        return True
    return hearing.turn_detection is not None and hearing.turn_detection.create_response is not False


def refused_format(asked: OpenaiRealtimeSessionConfig, granted: Mapping[str, Any]) -> str | None:
    """The first audio format that the server did not grant, in words; audio in another format would be noise."""
    for side in ("input", "output"):
        half = getattr(asked.audio, side, None)
        if half is None or half.format is None:
            continue
        echo = _at(granted, "audio", side, "format", "type")
        if echo != half.format.type:
            return f"session.audio.{side}.format: asked for {half.format.type}, got {echo or 'no answer'}"
    return None


def _at(tree: object, *path: str) -> object:
    for key in path:
        if not isinstance(tree, Mapping):
            return None
        tree = tree.get(key)
    return tree
