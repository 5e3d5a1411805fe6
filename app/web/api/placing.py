"""From a wish for a call to its place in the queue, or to why there is none."""

import hashlib
from datetime import UTC, datetime
from http import HTTPStatus
from math import ceil

from sqlalchemy.ext.asyncio import AsyncSession

from app.db import audit
from app.db.api_keys import KeyHolder
from app.db.opt_outs import find_opt_out
from app.db.outbound import add_request, find_by_idempotency_key, queued
from app.db.tables import OutboundRequest
from app.errors import ConfError, OutboundRefused
from app.outbound.rules import Refusal, check_hours, check_number, choose_caller
from app.web.api.outbound_models import NewCall
from app.web.deps import Services
from app.web.problems import Problem

FULL_AGAIN_S = 60
STATUSES = {
    Refusal.OUTSIDE_CALLING_HOURS: 409,
    Refusal.ON_DO_NOT_CALL_LIST: 409,
    Refusal.NO_PUBLIC_URL: 409,
    Refusal.NO_ACCOUNT: 409,
    Refusal.QUEUE_FULL: 429,
}
"""Of refusals for which the request itself is not at fault; the others are 422."""


async def earlier(
    db: AsyncSession, wish: NewCall, holder: KeyHolder, idempotency_key: str | None
) -> OutboundRequest | None:
    """What became of the same request before; a problem 409 where the key was used for another one."""
    if idempotency_key is None:
        return None
    found = await find_by_idempotency_key(db, holder.id, idempotency_key)
    if found and found.body_sha256 != _digest(wish):
        detail = "This Idempotency-Key was used for another request: take a new one for each call."
        raise Problem(409, "idempotency_key_reused", detail)
    return found


async def enqueue(
    db: AsyncSession, house: Services, wish: NewCall, holder: KeyHolder, idempotency_key: str | None
) -> OutboundRequest | None:
    """Put the call in the queue; None where its key has just been used. Raises `OutboundRefused`."""
    conf = house.store.outbound()
    if house.public_url is None:
        raise OutboundRefused(Refusal.NO_PUBLIC_URL, "Set PUBLIC_URL: without it Twilio cannot reach this server.")
    check_number(wish.to, conf)
    caller = choose_caller(wish.from_number, conf, house.store.own_numbers())
    _check_rows(house, wish.agent, conf.account)
    if await find_opt_out(db, wish.to):
        raise OutboundRefused(Refusal.ON_DO_NOT_CALL_LIST, "The number is on the do-not-call list.")
    not_before = _first_moment(house, wish)
    if await queued(db, conf.account) >= conf.most_queued:
        raise OutboundRefused(Refusal.QUEUE_FULL, f"{conf.most_queued} calls wait already.")
    added = await add_request(
        db,
        key_id=holder.id,
        idempotency_key=idempotency_key,
        body_sha256=_digest(wish),
        account=conf.account,
        to_number=wish.to,
        from_number=caller,
        agent=wish.agent,
        variables=wish.variables,
        wait_for_hours=wish.wait_for_hours,
        **({"not_before": not_before} if not_before else {}),
    )
    if added:
        await audit.note(db, holder.actor, "create", f"outbound/{added.id}")
    return added


def problem(refused: OutboundRefused) -> Problem:
    """The refusal as the API tells it; `Retry-After` says when the same request would be taken."""
    again_s = FULL_AGAIN_S if refused.code == Refusal.QUEUE_FULL else None
    if refused.next_at:
        again_s = max(1, ceil((refused.next_at - datetime.now(UTC)).total_seconds()))
    headers = {"Retry-After": str(again_s)} if again_s else None
    status = STATUSES.get(Refusal(refused.code), HTTPStatus.UNPROCESSABLE_ENTITY)
    return Problem(status, refused.code, str(refused), headers=headers)


def _check_rows(house: Services, agent: str, account: str) -> None:
    try:
        house.store.agent(agent)
    except ConfError as error:
        raise OutboundRefused(Refusal.AGENT_MISSING, str(error)) from None
    try:
        house.store.twilio(account)
    except ConfError as error:
        raise OutboundRefused(Refusal.NO_ACCOUNT, str(error)) from None


def _first_moment(house: Services, wish: NewCall) -> datetime | None:
    """When the callee may be called; None for now."""
    try:
        check_hours(wish.to, house.store.outbound(), datetime.now(UTC))
    except OutboundRefused as refused:
        if not wish.wait_for_hours or refused.next_at is None:
            raise
        return refused.next_at
    return None


def _digest(wish: NewCall) -> str:
    return hashlib.sha256(wish.model_dump_json().encode()).hexdigest()
