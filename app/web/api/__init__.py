"""The admin REST, `/api/v1`: everything an operator does."""

from fastapi import APIRouter

from app.web.api import agents, audio, audit, call_events, calls, config, keys, numbers, recordings, transcripts

router = APIRouter(prefix="/api/v1")
for each in (agents, numbers, config, keys, audit, calls, call_events, transcripts, recordings, audio):
    router.include_router(each.router)
