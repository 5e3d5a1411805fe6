"""Puts the web on an app; `app.state.services` must hold a `Services` before the first request."""

from fastapi import FastAPI

from app.web import answering_machine, api, docs, health, media, recording, transferred, voice, voicemail
from app.web.limits import BodyLimits
from app.web.problems import HANDLERS


def mount(app: FastAPI) -> None:
    """Add the routes, the limits and the words for errors."""
    for kind, handler in HANDLERS.items():
        app.add_exception_handler(kind, handler)
    app.add_middleware(BodyLimits)
    for router in (voice.router, recording.router, media.router, health.router, docs.router, api.router):
        app.include_router(router)
    for router in (voicemail.router, answering_machine.router, transferred.router):
        app.include_router(router)
