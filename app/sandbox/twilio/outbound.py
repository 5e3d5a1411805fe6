"""How a call begins that the server places: a phone rings, and somebody answers or does not."""

import asyncio
import contextlib

from app.sandbox.twilio.call import SandboxCall
from app.sandbox.twilio.network import Destination
from app.sandbox.twilio.steps import End, Step
from app.sandbox.twilio.timeline import EndCause


async def ring_out(call: SandboxCall, phone: Destination, first: Step, *, timeout_ms: float) -> Step:
    """Ring an outbound call's phone; answers the step with which the call goes on once somebody has answered."""
    call.report("initiated")
    call.set_status("ringing")
    call.report("ringing")
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(min(phone.ring_ms, timeout_ms) / 1000 / call.network.speed):
            return await call.steps.get()  # cancelled while it rings
    if phone.outcome == "answered" and phone.ring_ms <= timeout_ms:
        call.set_status("in-progress")
        call.report("answered")
        return first
    return End(EndCause.NOT_ANSWERED, phone.outcome if phone.ring_ms <= timeout_ms else "no-answer")
