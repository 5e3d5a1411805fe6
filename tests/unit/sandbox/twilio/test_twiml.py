import pytest

from app.errors import CarrierFault
from app.sandbox.twilio.twiml import Verb, check_stream, parse, stream_of


def stream(attributes: str = 'url="wss://host/media"', body: str = "") -> Verb:
    document = parse(f"<Response><Connect><Stream {attributes}>{body}</Stream></Connect></Response>")
    return document.verbs[0].children[0]


def test_verbs_come_in_order_with_attributes_text_and_children():
    document = parse(
        '<?xml version="1.0" encoding="UTF-8"?><Response><Connect action="/a?x=1&amp;y=2"><Stream url="wss://h/m">'
        '<Parameter name="token" value="é"/></Stream></Connect><Say language="en-GB"> Sorry<break/> </Say>'
        '<Dial timeout="5"><Number>+4930</Number></Dial></Response>'
    )

    assert document.warnings == ()
    assert [verb.name for verb in document.verbs] == ["Connect", "Say", "Dial"]
    connect, say, dial = document.verbs
    assert connect.get("action") == "/a?x=1&y=2"
    assert connect.children[0].children == (Verb("Parameter", {"name": "token", "value": "é"}),)
    assert (say.text, say.get("language"), say.get("voice", "man")) == ("Sorry", "en-GB", "man")
    assert dial.children[0].text == "+4930"


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "Hello",
        "<Response>",
        ' <?xml version="1.0"?><Response/>',
        "<Response><Say>a & b</Say></Response>",
        "<response/>",
        "<html/>",
    ],
)
def test_a_document_the_carrier_cannot_read_is_12100(broken: str):
    with pytest.raises(CarrierFault) as refused:
        parse(broken)
    assert refused.value.code == 12100


def test_a_document_above_64_kb_is_11750():
    with pytest.raises(CarrierFault) as refused:
        parse(f"<Response><Say>{'a' * 65_536}</Say></Response>")
    assert refused.value.code == 11750


@pytest.mark.parametrize(
    ("twiml", "warning"),
    [
        ("<Response><hangup/></Response>", "<hangup> is not known inside <Response>"),
        ("<Response><Stream/></Response>", "<Stream> is not known inside <Response>"),
        ("<Response><Pause Length='1'/></Response>", "<Pause> has no attribute 'Length'"),
        ("<Response><Pause length='long'/></Response>", "length of <Pause> is no whole number"),
        ("<Response><Say>Hi</Say><Reject/></Response>", "<Reject> is not the first verb"),
    ],
)
def test_what_the_carrier_skips_is_a_warning_that_names_it(twiml: str, warning: str):
    [said] = parse(twiml).warnings
    assert said.startswith(warning)


def test_what_is_skipped_is_not_in_the_document():
    document = parse("<Response><hangup/><Pause Length='9' length='x'/></Response>")
    assert document.verbs == (Verb("Pause"),)


def test_the_stream_of_a_document_is_its_url_and_parameters():
    twiml = '<Response><Connect><Stream url="wss://h/m"><Parameter name="a" value="b"/></Stream></Connect></Response>'
    assert stream_of(twiml) == ("wss://h/m", {"a": "b"})
    with pytest.raises(CarrierFault, match="connects no stream"):
        stream_of("<Response><Hangup/></Response>")


def test_a_stream_that_the_carrier_would_open():
    check_stream(stream(body='<Parameter name="token" value="abc"/>'))
    check_stream(stream('url="ws://127.0.0.1:8000/media" track="inbound_track"'))


@pytest.mark.parametrize(
    ("attributes", "body", "code"),
    [
        ('url="https://host/media"', "", 31922),
        ('url="ws://host/media"', "", 31922),
        ('name="no url"', "", 31922),
        ('url="wss:///media"', "", 31923),
        ('url="wss://host/media?token=abc"', "", 31920),
        ('url="wss://host/media" track="both_tracks"', "", 31941),
        ('url="wss://host/media"', f'<Parameter name="a" value="{"x" * 500}"/>', 12200),
        ('url="wss://host/media"', f'<Parameter name="{"x" * 500}" value="a"/>', 12200),
    ],
)
def test_a_stream_that_the_carrier_refuses_has_its_code(attributes: str, body: str, code: int):
    with pytest.raises(CarrierFault) as refused:
        check_stream(stream(attributes, body))
    assert refused.value.code == code
