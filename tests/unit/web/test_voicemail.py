"""What a caller gets where no agent can talk: the whole ladder, webhook by webhook."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import httpx
import pytest

from app.call.status import EndReason
from app.conf.models import AgentConf, Fallback, NumberConf, VoicemailConf, phrases
from app.errors import DatabaseError
from tests.unit.web.house import CALLER, NUMBER, ORIGIN, House, webhook_fields

GERMAN = AgentConf(language="de-DE", voicemail=VoicemailConf(max_seconds=60))
RECORDING = "RE" + "1" * 32
NEVER = {"zone": "Europe/Zurich"}


def answers(house: House, agent: AgentConf = GERMAN, **number: object) -> None:
    house.conf.agents = {"default": agent}
    house.conf.numbers = {NUMBER: NumberConf.model_validate({"agent": "default"} | number)}


def verbs(answer: httpx.Response) -> list[ElementTree.Element]:
    assert answer.status_code == 200
    return list(ElementTree.fromstring(answer.content))  # noqa: S314


def path_of(url: str | None) -> str:
    assert url
    assert url.startswith(ORIGIN)
    return url.removeprefix(ORIGIN)


async def offered(house: House, query: str = "agent=default&attempt=2", **fields: str) -> list[ElementTree.Element]:
    return verbs(await house.post(f"/twilio/voicemail?{query}", webhook_fields(CallStatus="in-progress", **fields)))


async def test_who_hears_no_agent_hears_an_apology_in_its_language_and_may_leave_a_message(house: House):
    answers(house)
    house.calls.endings[webhook_fields()["CallSid"]] = EndReason.MODEL_LOST
    say, redirect = verbs(await house.post("/twilio/after?attempt=1"))
    assert (say.text, say.get("language")) == (phrases("de").apology, "de-DE")

    greeting, record, end = verbs(await house.post(path_of(redirect.text)))
    assert (greeting.text, greeting.get("language"), end.tag) == (phrases("de").leave_message, "de-DE", "Hangup")
    assert (record.tag, record.get("maxLength"), record.get("playBeep")) == ("Record", "60", "true")
    assert record.get("recordingStatusCallback") == f"{ORIGIN}/twilio/recording?agent=default"

    left = webhook_fields(CallStatus="completed", RecordingSid=RECORDING, RecordingDuration="12", Digits="hangup")
    thanks, over = verbs(await house.post(path_of(record.get("action")), left))
    assert (thanks.text, over.tag) == (phrases("de").thanks, "Hangup")
    [news] = house.messages
    call = news.call
    assert (news.recording_sid, call.end_reason, call.attempt) == (RECORDING, EndReason.VOICEMAIL, 1)
    assert (call.from_number, call.to_number, call.agent, call.recording) == (CALLER, NUMBER, "default", "on")
    assert call.ended_at
    assert call.ended_at - call.started_at == timedelta(seconds=12)


async def test_a_closed_number_with_a_voicemail_takes_a_message(house: House):
    answers(house, hours=NEVER | {"closed_message": "Geschlossen."})
    say, redirect = verbs(await house.post("/twilio/voice"))
    assert say.text == "Geschlossen."
    assert path_of(redirect.text) == "/twilio/voicemail?agent=default&attempt=0"


@pytest.mark.parametrize(
    ("status", "follows"),
    [
        ("no-answer", "Record"),
        ("busy", "Record"),
        ("failed", "Record"),
        ("completed", "Hangup"),
        ("answered", "Hangup"),
    ],
)
async def test_a_fallback_number_that_takes_the_call_ends_it_and_one_that_does_not_leads_on(
    house: House, status: str, follows: str
):
    answers(house, GERMAN.model_copy(update={"fallback": Fallback(number="+15550000001")}))
    _, dial = verbs(await house.post("/twilio/fallback"))
    assert dial[0].text == "+15550000001"
    fields = webhook_fields(CallStatus="in-progress", DialCallStatus=status)
    assert follows in [verb.tag for verb in verbs(await house.post(path_of(dial.get("action")), fields))]


async def test_a_numbers_own_fallback_number_wins_over_its_agents(house: House):
    answers(
        house, GERMAN.model_copy(update={"fallback": Fallback(number="+15550000001")}), fallback_number="+15550000002"
    )
    for path in ("/twilio/fallback", "/twilio/voice"):
        assert verbs(await house.post(path))[-1][0].text == "+15550000002"


async def test_a_message_is_never_longer_than_one_may_be(house: House):
    answers(house)
    left = webhook_fields(RecordingSid=RECORDING, RecordingDuration="9" * 12)
    await house.post("/twilio/voicemail/left?agent=default&attempt=0&call=1", left)
    [news] = house.messages
    assert news.call.ended_at
    assert news.call.ended_at - news.call.started_at == timedelta(seconds=600)


async def test_the_verbs_for_a_dead_process_never_ask_it_for_a_voicemail(house: House):
    answers(house, GERMAN.model_copy(update={"fallback": Fallback(number="+15550000001")}))
    connect, say, dial = verbs(await house.post("/twilio/voice"))
    assert (connect.tag, say.text) == ("Connect", phrases("de").apology)
    assert dial.get("action") is None


async def test_the_greeting_is_the_operators_own_with_the_values_of_the_call(house: House):
    voicemail = VoicemailConf(greeting="{{company}} ist nicht da. {{caller_number}}?")
    answers(house, GERMAN.model_copy(update={"voicemail": voicemail}), variables={"company": "Acme & Co"})
    greeting, *_ = await offered(house)
    assert greeting.text == f"Acme & Co ist nicht da. {CALLER}?"


async def test_without_a_voicemail_the_line_closes_after_the_apology(house: House):
    answers(house, AgentConf(language="fr-FR"))
    assert [verb.tag for verb in verbs(await house.post("/twilio/fallback"))] == ["Say", "Hangup"]
    assert [verb.tag for verb in await offered(house)] == ["Hangup"]
    assert [verb.tag for verb in await offered(house, "agent=gone&attempt=0")] == ["Hangup"]


async def test_whoever_we_called_is_not_asked_for_a_message(house: House):
    answers(house)
    fields = webhook_fields(Direction="outbound-api", From=NUMBER, To=CALLER)
    assert [verb.tag for verb in verbs(await house.post("/twilio/fallback", fields))] == ["Say", "Hangup"]


async def test_who_has_hung_up_is_offered_nothing(house: House):
    answers(house)
    fields = webhook_fields(CallStatus="completed", DialCallStatus="canceled")
    answer = await house.post("/twilio/voicemail?agent=default&attempt=1", fields)
    assert [verb.tag for verb in verbs(answer)] == ["Hangup"]


async def test_each_offer_names_a_call_of_its_own(house: House):
    answers(house)
    actions = [record.get("action", "") for _, record, _ in [await offered(house), await offered(house)]]
    calls = {parse_qs(urlsplit(action).query)["call"][0] for action in actions}
    assert len(calls) == 2


async def test_a_message_that_cannot_be_noted_is_thanked_for_all_the_same(house: House):
    async def fails(_: object) -> None:
        raise DatabaseError("away")

    answers(house)
    house.change(voicemail_left=fails)
    left = webhook_fields(RecordingSid=RECORDING, RecordingDuration="x" * 30)
    answer = await house.post("/twilio/voicemail/left?agent=default&attempt=9&call=0", left)
    assert [verb.tag for verb in verbs(answer)] == ["Say", "Hangup"]


@pytest.mark.parametrize("changes", [{}, {"RecordingSid": "../RE"}])
async def test_a_request_that_names_no_recording_leaves_no_message(house: House, changes: dict[str, str]):
    answers(house)
    await house.post("/twilio/voicemail/left?agent=default&attempt=0&call=0", webhook_fields(**changes))
    assert house.messages == []


@pytest.mark.parametrize("path", ["voicemail?agent=default", "voicemail/left?agent=default&call=1"])
async def test_only_twilio_gets_in(house: House, path: str):
    assert (await house.post(f"/twilio/{path}", signature="forged")).status_code == 403


async def test_the_recording_of_a_message_says_whose_it_is(house: House):
    answers(house)
    told = {"RecordingSid": RECORDING, "RecordingStatus": "completed", "RecordingSource": "RecordVerb"}
    answer = await house.post("/twilio/recording?agent=default", webhook_fields(**told))
    assert answer.status_code == 204
    [notice] = house.notices
    assert (notice.message, notice.agent) == (True, "default")


@pytest.mark.parametrize(
    ("to", "language"), [("+4930901820", "de-DE"), ("+15557654321", "en-US"), ("sip:x", "en-US"), (None, "en-US")]
)
async def test_with_nothing_known_at_all_callers_hear_an_apology_in_their_countrys_language(
    house: House, to: str | None, language: str
):
    house.conf.loaded, house.conf.accounts = False, []
    fields = {"To": to} if to else {}
    for method, place in (("POST", "data"), ("GET", "params")):
        answer = await house.request(method, "/twilio/fallback", **{place: fields})
        say, end = verbs(answer)
        assert (say.text, say.get("language"), end.tag) == (phrases(language).apology, language, "Hangup")
    broken = await house.request("POST", "/twilio/fallback", content=b"To=%ff%fe")
    assert verbs(broken)[0].text == phrases("en").apology
