"""Asking a web service: within its time, again where that is safe, and always with an answer for the model."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

import httpx
import structlog

from app.call.tools.tool_calls import Asked, Handler
from app.conf.models import HttpTool
from app.egress.clients import GuardedClients
from app.egress.exchange import Answer, exchange
from app.egress.retry_after import retry_after_s
from app.egress.urls import check_url
from app.errors import EgressFailed, EgressRefused, ToolError
from app.tools.http.answer import Failed, told
from app.tools.http.hiding import Hiding
from app.tools.http.render import Values
from app.tools.http.request import Request, request, sent_headers

LONGEST_S = 120.0
"""No tool may take longer."""
PAUSES_S = (0.2, 0.6, 1.8)
"""Before each new try, where the service does not say how long."""

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallContext:
    """The call in which a tool is used."""

    id: str
    caller: str
    called: str
    agent: str
    digits: Callable[[], Mapping[str, str]] = dict
    """What the caller has typed so far for nobody else to see, by its name."""

    @property
    def values(self) -> dict[str, str]:
        """What `{{call.NAME}}` stands for."""
        return {"id": self.id, "caller": self.caller, "called": self.called, "agent": self.agent}


@dataclass(slots=True)
class Tried:
    """One use of a tool, as its operator may see it; secrets only in the request."""

    request: Request
    hiding: Hiding
    output: str = ""
    """What the model is told."""
    error: ToolError | None = None
    """Instead, where it failed."""
    detail: str | None = None
    """Why, for the operator."""
    status: int | None = None
    tries: int = 0
    took_ms: int = 0


@dataclass(frozen=True, slots=True)
class HttpTools:
    """Everything that the web tools of all calls share."""

    clients: GuardedClients
    default_s: float
    """A tool without a deadline of its own may take so long."""
    sleep: Callable[[float], Awaitable[object]] = field(default=asyncio.sleep, kw_only=True)

    def handler(self, context: CallContext) -> Handler:
        """Runs web tools in that call."""

        async def run(asked: Asked) -> str:
            tool = asked.tool
            assert isinstance(tool, HttpTool)  # noqa: S101 - the toolbox goes by the type
            values = Values(asked.arguments, context.values, context.digits(), tool.variables)
            tried = await self.use(tool, values, idempotency_key(context.id, asked.call_id))
            if tried.error:
                raise tried.error
            return tried.output

        return run

    async def use(self, tool: HttpTool, values: Values, key: str) -> Tried:
        """Ask the service. Raises `ToolError` where the values make no request; what else fails is in the answer."""
        tried = Tried(request(tool, values, key), Hiding.of(tool))
        began_s = time.monotonic()
        try:
            tried.output = tried.hiding(await self._answered(tool, tried, began_s))
        except ToolError as error:
            tried.error = ToolError(tried.hiding(str(error)))
        tried.took_ms = round((time.monotonic() - began_s) * 1000)
        _tell(tool, tried)
        return tried

    async def _answered(self, tool: HttpTool, tried: Tried, began_s: float) -> str:
        until_s = began_s + (tool.deadline_seconds or self.default_s)
        while True:
            answer: Answer | None = None
            tried.tries += 1
            try:
                answer = await self._exchange(tool, tried, until_s - time.monotonic())
                return told(tool, answer)
            except Failed:
                pause_s = _pause_s(answer, tried.tries)
                if tried.tries > tool.retries or time.monotonic() + pause_s >= until_s:
                    raise
            await self.sleep(pause_s)

    async def _exchange(self, tool: HttpTool, tried: Tried, within_s: float) -> Answer:
        client = self.clients.client(tool.allow_private)
        tried.status = tried.detail = None
        try:
            check_url(tried.request.url, allow=tool.allow_private)
            built = _built(client, tried.request, sent_headers(tried.request, tool, datetime.now(UTC)))
            answer = await exchange(client, built, within_s=within_s, most_bytes=tool.max_response_bytes)
        except EgressRefused as error:
            tried.detail = f"{error}; allow_private lets private addresses in"
            raise ToolError("The tool cannot be used: its address is not allowed.") from None
        except EgressFailed as error:
            tried.detail = str(error)
            late = isinstance(error.__cause__, TimeoutError | httpx.TimeoutException)
            raise Failed(f"The service {'did not answer in time' if late else 'cannot be reached'}.") from None
        tried.status = answer.status
        return answer


def idempotency_key(call_id: str, tool_call_id: str) -> str:
    """The same for every try of one tool call, and for no other."""
    return str(uuid5(NAMESPACE_URL, f"parley:{call_id}:{tool_call_id}"))


def _built(client: httpx.AsyncClient, asked: Request, headers: Mapping[str, str]) -> httpx.Request:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    content = asked.body.encode() if asked.body is not None else None
    return client.build_request(asked.method, asked.url, headers=raw, content=content)


def _pause_s(answer: Answer | None, tries: int) -> float:
    wanted_s = retry_after_s(answer.headers, datetime.now(UTC)) if answer else None
    return wanted_s if wanted_s is not None else PAUSES_S[min(tries, len(PAUSES_S)) - 1]


def _tell(tool: HttpTool, tried: Tried) -> None:
    facts = {"tool": tool.name, "status": tried.status, "tries": tried.tries, "took_ms": tried.took_ms}
    if tried.error is None:
        _log.info("http_tool_answered", **facts)
    else:  # not what the service said: it may be about people
        reason = tried.detail or str(tried.error).partition(":")[0]
        _log.warning("http_tool_failed", **facts, reason=tried.hiding(reason))
