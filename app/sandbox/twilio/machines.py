"""Listening, beside a call that was just answered, for who has picked up."""

from app.sandbox.twilio.call import SandboxCall
from app.sandbox.twilio.callbacks import Callbacks
from app.sandbox.twilio.network import Destination
from app.sandbox.twilio.rest import Form

NO_CALLBACK = 21262


async def tell_who_answered(call: SandboxCall, phone: Destination, form: Form) -> None:
    """Do what the request for the call said about machines."""
    mode = form.get("MachineDetection")
    if mode not in {"Enable", "DetectMessageEnd"} or form.get("AsyncAmd") != "true":
        return
    url = form.get("AsyncAmdStatusCallback")
    if not url:
        call.chronicle.warn(NO_CALLBACK, "asynchronous machine detection has no callback")
        return
    await call.network.pass_ms(phone.listened_ms)
    if call.over:
        return
    params = {
        "AccountSid": call.network.account_sid,
        "CallSid": call.call_sid,
        "AnsweredBy": _word(phone, to_end=mode == "DetectMessageEnd"),
        "MachineDetectionDuration": str(int(phone.listened_ms)),
    }
    callbacks = Callbacks(call.network, call.chronicle)  # it waits for no other callback of the call
    callbacks.send(url, params, method=form.get("AsyncAmdStatusCallbackMethod", "POST"))
    await callbacks.drain()


def _word(phone: Destination, *, to_end: bool) -> str:
    if phone.answered_by != "machine":
        return phone.answered_by
    return "machine_end_beep" if to_end else "machine_start"
