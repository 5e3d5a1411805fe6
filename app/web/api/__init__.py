"""The admin REST, `/api/v1`: everything an operator does."""

from fastapi import APIRouter

from app.web.api import (
    agents,
    audio,
    audit,
    call_events,
    calls,
    checks,
    config,
    do_not_call,
    keys,
    knowledge,
    limits_now,
    live_calls,
    numbers,
    outbound,
    recordings,
    tool_checks,
    transcripts,
    twilio_numbers,
)

ROUTED = (
    agents,
    numbers,
    twilio_numbers,
    config,
    checks,
    tool_checks,
    knowledge,
    keys,
    audit,
    outbound,
    do_not_call,
    calls,
    live_calls,
    limits_now,
    call_events,
    transcripts,
    recordings,
    audio,
)

router = APIRouter(prefix="/api/v1")
for each in ROUTED:
    router.include_router(each.router)
