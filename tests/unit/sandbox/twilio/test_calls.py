"""What a call does with the answers a server gives, without any stream."""

import asyncio

import pytest
from starlette.responses import Response

from app.errors import CarrierError
from app.sandbox.twilio import Destination, EndCause, SandboxCall, SandboxTwilio
from app.sandbox.twilio.timeline import Bridged, Dialled, Moment, StatusChanged, VerbStarted, Warned
from tests.unit.sandbox.twilio.conftest import ACCOUNT
from tests.unit.sandbox.twilio.tiny_server import TOKEN, TinyServer, tiny_server


async def place(twilio: SandboxTwilio, **extra: str) -> SandboxCall:
    return await twilio.place_call(to="+15550199", from_="+15550100", **extra)


def moments(call: SandboxCall, kind: type[Moment]) -> list[Moment]:
    return [moment for moment in call.timeline if isinstance(moment, kind)]


def beep(ms: int) -> bytes:
    return b"\x10\x90" * (ms * 4)


def verbs(call: SandboxCall) -> list[str]:
    return [moment.verb.name for moment in call.timeline if isinstance(moment, VerbStarted)]


async def test_the_voice_webhook_is_signed_and_carries_the_whole_set_of_parameters(
    twilio: SandboxTwilio, server: TinyServer
):
    server.answer("/voice", "<Hangup/>")
    call = await place(twilio, CallerName="Zoë")
    await call.wait_ended()

    [hook] = server.hooks("/voice")
    assert hook.signed
    assert (
        hook.form.items()
        >= {
            "AccountSid": ACCOUNT,
            "CallSid": call.call_sid,
            "From": "+15550100",
            "To": "+15550199",
            "CallStatus": "ringing",
            "Direction": "inbound",
            "ApiVersion": "2010-04-01",
            "FromCity": "",
            "CallerName": "Zoë",
        }.items()
    )
    assert hook.headers["user-agent"] == "TwilioProxy/1.1"
    assert len(hook.headers["i-twilio-idempotency-token"]) == 32


async def test_verbs_run_one_after_another_and_take_their_time(twilio: SandboxTwilio, server: TinyServer):
    server.answer(
        "/voice",
        '<Start><Recording channels="dual"/></Start><Say loop="2">fifteen letters</Say>'
        '<Play digits="12"/><Pause length="2"/><Hangup/><Say>never</Say>',
    )
    call = await place(twilio)

    assert await call.wait_ended() is EndCause.HANGUP_VERB
    assert verbs(call) == ["Start", "Say", "Play", "Pause", "Hangup"]
    _, say, play, pause, hangup = (moment.at_ms for moment in moments(call, VerbStarted))
    assert 2000 <= play - say < 7000
    assert 500 <= pause - play < 5500
    assert 2000 <= hangup - pause < 7000
    assert [moment.status for moment in moments(call, StatusChanged)] == ["in-progress", "completed"]


async def test_when_the_verbs_run_out_the_call_is_hung_up(twilio: SandboxTwilio, server: TinyServer):
    server.answer("/voice", "<Say>Bye</Say>")
    call = await place(twilio)

    assert await call.wait_ended() is EndCause.VERBS_RAN_OUT
    assert call.status == "completed"


@pytest.mark.parametrize(("reason", "status"), [("busy", "busy"), ("rejected", "failed")])
async def test_a_rejected_call_is_never_answered(twilio: SandboxTwilio, server: TinyServer, reason: str, status: str):
    server.answer("/voice", f'<Reject reason="{reason}"/>')
    call = await place(twilio)

    assert await call.wait_ended() is EndCause.REJECTED
    assert [moment.status for moment in moments(call, StatusChanged)] == [status]
    assert server.hooks("/status")[0].form["CallDuration"] == "0"


async def test_a_late_reject_hangs_up_an_answered_call(twilio: SandboxTwilio, server: TinyServer):
    server.answer("/voice", "<Say>Hi</Say><Reject/>")
    call = await place(twilio)

    assert await call.wait_ended() is EndCause.HANGUP_VERB
    assert [warning.code for warning in call.warnings] == [12200]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Response(status_code=500), 11200),
        (Response("<Response/>", media_type="text/plain"), 12300),
        (Response("not xml", media_type="text/xml"), 12100),
    ],
)
async def test_a_failed_webhook_goes_to_the_fallback_url_with_its_code(
    twilio: SandboxTwilio, server: TinyServer, answer: Response, code: int
):
    server.answers["/voice"] = answer
    server.answer("/fallback", "<Hangup/>")
    call = await place(twilio)

    assert await call.wait_ended() is EndCause.HANGUP_VERB
    [fallback] = server.hooks("/fallback")
    assert fallback.signed
    assert fallback.form["ErrorCode"] == str(code)
    assert fallback.form["ErrorUrl"] == f"{server.origin}/voice"
    assert [warning.code for warning in call.warnings] == [code]


async def test_a_call_ends_in_error_when_the_fallback_fails_too(twilio: SandboxTwilio, server: TinyServer):
    server.answers["/voice"] = server.answers["/fallback"] = Response(status_code=503)
    call = await place(twilio)

    assert await call.wait_ended() is EndCause.ERROR
    assert len(server.hooks("/fallback")) == 1


async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take whatever comes and never answer."""
    await reader.read()
    writer.close()


async def test_a_webhook_without_an_answer_in_time_is_a_failure():
    async with await asyncio.start_server(mute, "127.0.0.1", 0) as listener:
        url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/voice"
        async with SandboxTwilio(account_sid=ACCOUNT, auth_token=TOKEN, voice_url=url, webhook_limit_s=0.05) as twilio:
            call = await place(twilio)
            assert await call.wait_ended() is EndCause.ERROR

    assert [(warning.code, "within 0.05 s" in warning.text) for warning in call.warnings] == [(11200, True)]


async def test_a_server_that_cannot_be_reached_is_11205():
    async with SandboxTwilio(
        account_sid=ACCOUNT, auth_token=TOKEN, voice_url="http://127.0.0.1:9/voice", speed=20
    ) as twilio:
        call = await place(twilio)
        assert await call.wait_ended() is EndCause.ERROR
    assert [warning.code for warning in call.warnings] == [11205]


async def test_a_stream_that_twiml_rules_forbid_is_a_readable_warning(twilio: SandboxTwilio, server: TinyServer):
    server.answer("/voice", '<Connect><Stream url="wss://host/media?token=a"/></Connect>')
    call = await place(twilio)
    await call.wait_ended()

    [warning] = call.warnings
    assert (warning.code, warning.text) == (31920, "the stream URL has a query; pass data as <Parameter>")


@pytest.mark.parametrize(
    ("verb", "code", "text"),
    [("<Connect/>", 12200, "<Connect> has no <Stream>"), ("<Dial/>", 13223, "<Dial> names nobody to call")],
)
async def test_a_verb_without_its_object_is_a_warning_and_the_next_one_runs(
    twilio: SandboxTwilio, server: TinyServer, verb: str, code: int, text: str
):
    server.answer("/voice", f"{verb}<Hangup/>")
    call = await place(twilio)

    assert await call.wait_ended() is EndCause.HANGUP_VERB
    assert [(warning.code, warning.text) for warning in call.warnings] == [(code, text)]


async def test_redirect_goes_on_with_the_document_at_its_url(twilio: SandboxTwilio, server: TinyServer):
    server.answer("/voice", '<Redirect method="GET">after?step=2</Redirect>')
    server.answer("/after", "<Hangup/>")
    call = await place(twilio)
    await call.wait_ended()

    [hook] = server.hooks("/after")
    assert (hook.method, hook.signed, hook.form["step"]) == ("GET", True, "2")


@pytest.mark.parametrize(
    ("destination", "status"),
    [
        (Destination(ring_ms=500, talk_ms=2000), "completed"),
        (Destination("busy", ring_ms=100), "busy"),
        (Destination("no-answer", ring_ms=9000), "no-answer"),
        (Destination(ring_ms=9000), "no-answer"),
    ],
)
async def test_dial_rings_a_phone_and_tells_the_action_how_it_went(
    twilio: SandboxTwilio, server: TinyServer, destination: Destination, status: str
):
    twilio.destinations["+4930"] = destination
    server.answer("/voice", '<Dial timeout="3" action="/dialled"><Number>+4930</Number></Dial>')
    server.answer("/dialled", "<Hangup/>")
    call = await place(twilio)
    await call.wait_ended()

    [dialled] = moments(call, Dialled)
    assert (dialled.number, dialled.outcome) == ("+4930", status)
    [action] = server.hooks("/dialled")
    assert action.form["DialCallStatus"] == status
    assert action.form["DialCallDuration"] == ("2" if status == "completed" else "0")


async def test_a_caller_who_hangs_up_while_talking_has_completed_the_dial(twilio: SandboxTwilio, server: TinyServer):
    twilio.destinations["+4930"] = Destination(ring_ms=0, talk_ms=None)
    server.answer("/voice", '<Dial action="/dialled"><Number>+4930</Number></Dial>')
    call = await place(twilio)
    await call.wait_for(lambda call: bool(moments(call, Bridged)))
    await call.hang_up()

    [action] = server.hooks("/dialled")
    assert (action.form["DialCallStatus"], action.form["CallStatus"]) == ("completed", "completed")


async def test_two_who_are_put_through_talk_no_longer_than_is_allowed(twilio: SandboxTwilio, server: TinyServer):
    twilio.destinations["+4930"] = Destination(ring_ms=0, talk_ms=None)
    server.answer("/voice", '<Dial timeLimit="2" action="/dialled"><Number>+4930</Number></Dial>')
    server.answer("/dialled", "<Hangup/>")
    call = await place(twilio)
    await call.wait_ended()

    [action] = server.hooks("/dialled")
    assert (action.form["DialCallStatus"], action.form["DialCallDuration"]) == ("completed", "2")


async def test_of_several_phones_the_first_to_answer_gets_the_call(twilio: SandboxTwilio, server: TinyServer):
    twilio.destinations["+1"] = Destination("busy", ring_ms=0)
    twilio.destinations["+2"] = Destination(ring_ms=600, talk_ms=0)
    twilio.destinations["+3"] = Destination(ring_ms=300, talk_ms=0)
    server.answer("/voice", "<Dial><Number>+1</Number><Number>+2</Number><Number>+3</Number></Dial><Hangup/>")
    call = await place(twilio)
    await call.wait_ended()

    assert [moment.number for moment in moments(call, Dialled)] == ["+3"]
    assert verbs(call) == ["Dial", "Hangup"]


async def test_a_recorded_message_goes_to_its_action(twilio: SandboxTwilio, server: TinyServer):
    server.answer("/voice", '<Record timeout="2" action="/recorded" recordingStatusCallback="/recording"/><Pause/>')
    server.answer("/recorded", "<Hangup/>")
    call = await place(twilio)
    call.leave_message(beep(2000), key="#")
    await call.wait_ended()

    [hook], [told] = server.hooks("/recorded"), server.hooks("/recording")
    assert hook.form["RecordingSid"] == told.form["RecordingSid"]
    assert (hook.form["RecordingDuration"], hook.form["Digits"]) == ("2", "#")
    assert (told.form["RecordingSource"], told.form["RecordingChannels"]) == ("RecordVerb", "1")
    assert verbs(call) == ["Record", "Hangup"]


async def test_who_hangs_up_has_left_their_message_and_who_says_nothing_has_left_none(
    twilio: SandboxTwilio, server: TinyServer
):
    server.answer("/voice", '<Record timeout="30" action="/recorded"/><Hangup/>')
    call, silent = await place(twilio), await place(twilio)
    call.leave_message(beep(1000))
    async with asyncio.timeout(5):
        while not call.messages.empty():  # noqa: ASYNC110 - nobody tells that the person has begun to speak
            await asyncio.sleep(0.005)
    await call.hang_up()
    await silent.wait_ended()

    [hook] = server.hooks("/recorded")
    assert (hook.form["CallSid"], hook.form["Digits"], hook.form["CallStatus"]) == (
        call.call_sid,
        "hangup",
        "completed",
    )
    assert (verbs(silent), twilio.recordings.of(silent)) == (["Record", "Hangup"], [])


async def test_hanging_up_during_a_verb_ends_the_call_at_once(twilio: SandboxTwilio, server: TinyServer):
    server.answer("/voice", '<Pause length="3600"/>')
    call = await place(twilio)
    await call.wait_for(lambda call: verbs(call) == ["Pause"])
    await call.hang_up()

    assert (call.end_cause, call.status) == (EndCause.CALLER, "completed")


async def test_waiting_for_what_will_not_come_any_more_says_so(twilio: SandboxTwilio, server: TinyServer):
    server.answer("/voice", "<Hangup/>")
    call = await place(twilio)

    with pytest.raises(CarrierError, match="the call ended"):
        await call.wait_heard(100)


async def test_a_webhook_can_be_sent_on_its_own_forged_by_get_and_twice(twilio: SandboxTwilio, server: TinyServer):
    call = twilio.ring(to="+15550199", from_="+15550100")
    true = await twilio.webhook(call.params, idempotency_token="once")
    await twilio.webhook(call.params, idempotency_token="once")
    await twilio.webhook(call.params, method="GET")
    await twilio.webhook(call.params | {"From": "+666"}, signature=twilio.sign(f"{server.origin}/voice", call.params))

    assert true.status == 200
    assert true.stream == (server.stream_url, {"agent": "support"})
    assert [hook.signed for hook in server.hooks("/voice")] == [True, True, True, False]
    assert [hook.method for hook in server.hooks("/voice")] == ["POST", "POST", "GET", "POST"]
    assert [hook.headers["i-twilio-idempotency-token"] for hook in server.hooks("/voice")][:2] == ["once", "once"]


async def test_a_ringing_call_can_be_answered_with_any_twiml(twilio: SandboxTwilio, server: TinyServer):
    call = twilio.ring(to="+15550199", from_="+15550100")
    twilio.follow(call, "<Response><Say>Hi</Say></Response>")

    assert await call.wait_ended() is EndCause.VERBS_RAN_OUT
    assert server.hooks("/voice") == []


async def test_leaving_the_sandbox_hangs_up_what_still_talks(server: TinyServer):
    async with SandboxTwilio(
        account_sid=ACCOUNT, auth_token=TOKEN, voice_url=f"{server.origin}/voice", speed=20
    ) as twilio:
        call = await place(twilio)
        await call.wait_stream()
        rung = twilio.ring(to="+15550199", from_="+15550100")

    assert call.end_cause is EndCause.CALLER
    assert rung.status == "canceled"
    await server.media[0].socket.wait_closed()


async def test_a_mistake_inside_the_carrier_ends_the_call_and_is_raised_on_leaving(server: TinyServer):
    async def leave_broken() -> None:
        async with SandboxTwilio(account_sid=ACCOUNT, auth_token=TOKEN, voice_url=server.origin) as twilio:
            call = twilio.ring(to="+1", from_="+2")
            twilio.follow(call, twiml=None)
            assert await call.wait_ended() is EndCause.ERROR

    with pytest.raises(ExceptionGroup, match="the sandbox's carrier failed"):
        await leave_broken()


async def test_leaving_the_sandbox_gives_up_a_callback_that_is_never_answered():
    async with tiny_server() as server, await asyncio.start_server(mute, "127.0.0.1", 0) as listener:
        server.answer("/voice", "<Hangup/>")
        status_url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/status"
        async with SandboxTwilio(
            account_sid=ACCOUNT, auth_token=TOKEN, voice_url=f"{server.origin}/voice", status_url=status_url
        ) as twilio:
            call = await place(twilio)
            await call.wait_for(lambda call: call.over)

        assert "sandbox-callback" not in {task.get_name() for task in asyncio.all_tasks()}


async def test_a_callback_that_fails_is_a_warning_and_does_not_hold_the_call(twilio: SandboxTwilio, server: TinyServer):
    server.answer("/voice", "<Hangup/>")
    server.answers["/status"] = Response(status_code=500)
    call = await place(twilio)
    await call.wait_ended()

    assert [warning.code for warning in moments(call, Warned)] == [11200]
