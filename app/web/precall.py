"""Asking an operator's server before a call: what the agent shall know, and perhaps who shall answer instead."""

import asyncio
import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog

from app.conf.models import MOST_VARIABLES, PrecallConf, as_text, is_name
from app.egress.client import guarded_client
from app.egress.exchange import Answer, exchange
from app.egress.signing import signature
from app.errors import EgressFailed, EgressRefused
from app.web.line import Line

ANSWER_BYTES = 16 * 1024
REMEMBERED_CALLS = 1024

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Told:
    """What the server said; `failed` says in words what of that could not be had."""

    variables: Mapping[str, str] = field(default_factory=dict)
    agent: str | None = None
    failed: str | None = None


class _Answered(msgspec.Struct):
    variables: dict[str, Any] = {}
    agent: str | None = None


class Precalls:
    """Asks once for each call: whoever comes again, as after a lost stream, is told the same."""

    def __init__(self) -> None:
        self._told: OrderedDict[str, asyncio.Future[Told]] = OrderedDict()

    async def ask(self, conf: PrecallConf, line: Line, agent: str) -> Told:
        """What that server says of the call, within its time limit; never raises for what the server does."""
        if already := self._told.get(line.call_sid):
            return await asyncio.shield(already)
        self._told[line.call_sid] = telling = asyncio.get_running_loop().create_future()
        if len(self._told) > REMEMBERED_CALLS:
            self._told.popitem(last=False)
        told = Told(failed="it was given up")
        try:
            told = await _ask(conf, line, agent)
        finally:
            telling.set_result(told)
        if told.failed:
            _log.warning("precall_failed", call_sid=line.call_sid, agent=agent, reason=told.failed)
        return told

    def told(self, call_sid: str) -> Told:
        """What was said of that call, as far as it is known here and now."""
        telling = self._told.get(call_sid)
        return telling.result() if telling and telling.done() else Told()

    def forget(self, call_sid: str) -> None:
        """The call is over."""
        self._told.pop(call_sid, None)


async def _ask(conf: PrecallConf, line: Line, agent: str) -> Told:
    question = {"call_sid": line.call_sid, "from": line.caller, "to": line.called}
    body = json.dumps(question | {"agent": agent, "direction": line.direction}, ensure_ascii=False)
    within_s = conf.timeout_ms / 1000
    try:
        headers = signature([conf.secret], f"precall_{line.call_sid}", body, datetime.now(UTC))
        async with guarded_client(conf.allow_private, timeout_s=within_s) as client:
            request = client.build_request("POST", conf.url, content=body.encode(), headers=headers)
            answer = await exchange(client, request, within_s=within_s, most_bytes=ANSWER_BYTES)
    except EgressRefused as error:
        return Told(failed=f"{error}; allow_private lets private addresses in")
    except EgressFailed as error:
        return Told(failed=str(error))
    except ValueError:
        return Told(failed="its secret cannot sign: give it a new one")
    return read(answer)


def read(answer: Answer) -> Told:
    """What the server's answer says."""
    if not 200 <= answer.status < 300:
        return Told(failed=f"it answered {answer.status}")
    if not answer.whole:
        return Told(failed=f"its answer did not come in time, or is longer than {ANSWER_BYTES // 1024} KiB")
    if not answer.body.strip():
        return Told()
    try:
        said = msgspec.json.decode(answer.body, type=_Answered)
    except (msgspec.DecodeError, RecursionError):  # a wrong type is a DecodeError too
        return Told(failed='its answer is not like {"variables": {"name": "value"}}')
    texts = {name: as_text(value) for name, value in said.variables.items() if is_name(name)}
    fit = {name: text for name, text in list(texts.items())[:MOST_VARIABLES] if text is not None}
    unfit = [name for name, value in said.variables.items() if value is not None and name not in fit]
    return Told(fit, said.agent, f"{len(unfit)} of its variables have no fit name or value" if unfit else None)
