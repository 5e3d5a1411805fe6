"""OpenAI as a provider of realtime sessions."""

from collections.abc import Callable, Sequence
from typing import Any

from app.conf.models import AgentConf, OpenAICoreConf
from app.errors import ConfError, SessionUnavailable
from app.openai import client_events, connect, messages
from app.openai.constants import DEFAULT_MODEL, OPENAI_REALTIME_BASE_URL
from app.openai.opening import create_openai_realtime_session
from app.openai.session_config import compile_session
from app.realtime.history import HistoryItem
from app.realtime.session import RealtimeSession
from app.timing import Deadlines


class OpenAIProvider:
    """Opens sessions for agents; see `RealtimeProvider`. `core_conf` finds an account's row by its name."""

    def __init__(
        self,
        core_conf: Callable[[str], OpenAICoreConf],
        base_url: str = OPENAI_REALTIME_BASE_URL,
        deadlines: Deadlines = Deadlines(),  # noqa: B008 (a frozen value)
    ) -> None:
        self._core_conf = core_conf
        self._url = connect.realtime_url(base_url, DEFAULT_MODEL)  # a wrong URL stops the start, not the first call
        self._base_url = base_url
        self._deadlines = deadlines

    def compile(self, agent: AgentConf) -> dict[str, Any]:
        """The session configuration that agent asks for, as it is sent."""
        return compile_session(agent).wire()

    async def open(self, agent: AgentConf, history: Sequence[HistoryItem] = ()) -> RealtimeSession:
        """Connect, configure and confirm a session that has not spoken yet; raises `SessionUnavailable`."""
        try:
            config, core_conf = compile_session(agent), self._core_conf(agent.account)
        except ConfError as error:
            raise SessionUnavailable(str(error), code="not_configured", retryable=False) from error
        return await create_openai_realtime_session(
            config, core_conf, base_url=self._base_url, deadlines=self._deadlines, history=history
        )

    def warm_up(self) -> None:
        """Pay now what the first call would otherwise wait for."""
        if self._url.startswith("wss:"):
            connect.tls()
        client_events.session_update(self.compile(AgentConf()), "warm_up")
        messages.neutral(messages.decode('{"type":"response.output_audio.delta","delta":""}'))
