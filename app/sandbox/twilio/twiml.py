"""TwiML as strictly as the carrier reads it."""

import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from app.errors import CarrierFault

MAX_BYTES = 64 * 1024
MAX_PARAMETER_CHARACTERS = 500
PARSE_FAILURE = 12100
SCHEMA = 12200
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

_CALLBACK = frozenset({"statusCallback", "statusCallbackMethod", "statusCallbackEvent"})
_RECORDING_CALLBACK = frozenset(
    {"recordingStatusCallback", "recordingStatusCallbackMethod", "recordingStatusCallbackEvent"}
)
_FOLLOW = frozenset({"action", "method"})
_STREAM = frozenset(
    {"url", "name", "track", "statusCallback", "statusCallbackMethod", "connectorName", "audioFormat", "sampleRate"}
)


@dataclass(frozen=True, slots=True)
class _Element:
    """Which attributes and children an element may have."""

    attributes: frozenset[str] = frozenset()
    children: frozenset[str] = frozenset()


_DIAL_CHILDREN = frozenset({"Number", "Sip", "Client", "Conference", "Queue"})
_SCHEMA: dict[str, _Element] = {
    "Response": _Element(
        children=frozenset(
            {"Connect", "Dial", "Hangup", "Pause", "Play", "Record", "Redirect", "Reject", "Say", "Start", "Stop"}
        )
    ),
    "Connect": _Element(_FOLLOW, frozenset({"Stream"})),
    "Start": _Element(_FOLLOW, frozenset({"Stream", "Recording"})),
    "Stop": _Element(frozenset(), frozenset({"Stream"})),
    "Stream": _Element(_STREAM, frozenset({"Parameter"})),
    "Parameter": _Element(frozenset({"name", "value"})),
    "Recording": _Element(_RECORDING_CALLBACK | {"channels", "track", "trim"}),
    "Say": _Element(frozenset({"voice", "language", "loop"})),
    "Play": _Element(frozenset({"digits", "loop"})),
    "Pause": _Element(frozenset({"length"})),
    "Dial": _Element(
        _FOLLOW
        | _RECORDING_CALLBACK
        | {"answerOnBridge", "callerId", "hangupOnStar", "record", "ringTone", "timeLimit", "timeout", "trim"},
        _DIAL_CHILDREN,
    ),
    "Number": _Element(_CALLBACK | {"method", "sendDigits", "url"}),
    "Sip": _Element(_CALLBACK | {"method", "password", "url", "username"}),
    "Client": _Element(_CALLBACK | {"method", "url"}, frozenset({"Parameter"})),
    "Conference": _Element(
        _CALLBACK | {"beep", "endConferenceOnExit", "maxParticipants", "muted", "startConferenceOnEnter", "waitUrl"}
    ),
    "Queue": _Element(frozenset({"method", "url"})),
    "Record": _Element(
        _FOLLOW | _RECORDING_CALLBACK | {"finishOnKey", "maxLength", "playBeep", "timeout", "transcribe", "trim"}
    ),
    "Redirect": _Element(frozenset({"method"})),
    "Hangup": _Element(),
    "Reject": _Element(frozenset({"reason"})),
}
_NUMBERS = frozenset({"length", "loop", "maxLength", "timeLimit", "timeout"})
_PLAIN_TEXT = frozenset({"Say"})
"""Elements whose children are speech markup, which is taken as text."""


@dataclass(frozen=True, slots=True)
class Verb:
    """One element of a document, with what the carrier knows of it."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""
    children: tuple["Verb", ...] = ()

    def get(self, attribute: str, default: str = "") -> str:
        """An attribute's value, or the carrier's default."""
        return self.attributes.get(attribute, default)


@dataclass(frozen=True, slots=True)
class Document:
    """The verbs to carry out in order, and what the carrier's debugger would complain about."""

    verbs: tuple[Verb, ...]
    warnings: tuple[str, ...]


def parse(twiml: str) -> Document:
    """Read a document. What the carrier skips is a warning; what it cannot read raises `CarrierFault`."""
    if len(twiml.encode()) > MAX_BYTES:
        raise CarrierFault("the answer has more than 64 kB", code=11750)
    try:
        root = ET.fromstring(twiml.encode())  # noqa: S314 - the document comes from the server under rehearsal
    except ET.ParseError as error:
        raise CarrierFault(f"the document is no XML: {error}", code=PARSE_FAILURE) from error
    if root.tag != "Response":
        raise CarrierFault(f"the root element is <{root.tag}>, not <Response>", code=PARSE_FAILURE)
    warnings: list[str] = []
    response = _read(root, warnings)
    if any(verb.name == "Reject" for verb in response.children[1:]):
        warnings.append("<Reject> is not the first verb: the call is answered already and is hung up instead")
    return Document(response.children, tuple(warnings))


def stream_of(twiml: str) -> tuple[str, dict[str, str]]:
    """Where a document connects its stream, and what it passes along."""
    streams = [child for verb in parse(twiml).verbs if verb.name == "Connect" for child in verb.children]
    if not streams:
        raise CarrierFault("the document connects no stream", code=SCHEMA)
    return streams[0].get("url"), parameters_of(streams[0])


def parameters_of(stream: Verb) -> dict[str, str]:
    """A stream's `<Parameter>` children."""
    return {parameter.get("name"): parameter.get("value") for parameter in stream.children}


def check_stream(stream: Verb) -> None:
    """Whether the carrier would open this `<Stream>` of a `<Connect>`; raises `CarrierFault` with its code if not."""
    url = urlsplit(stream.get("url"))
    if url.scheme != "wss" and not (url.scheme == "ws" and url.hostname in _LOOPBACK):
        raise CarrierFault(f"a stream URL must be wss, not {url.scheme or 'without a scheme'}", code=31922)
    if not url.hostname:
        raise CarrierFault("the stream URL has no host", code=31923)
    if url.query:
        raise CarrierFault("the stream URL has a query; pass data as <Parameter>", code=31920)
    if stream.get("track", "inbound_track") != "inbound_track":
        raise CarrierFault(f"track {stream.get('track')} does not go with <Connect>", code=31941)
    for parameter in stream.children:
        for part in ("name", "value"):
            if len(parameter.get(part)) >= MAX_PARAMETER_CHARACTERS:
                raise CarrierFault(
                    f"a <Parameter> {part} of {MAX_PARAMETER_CHARACTERS} characters or more", code=SCHEMA
                )


def _read(element: ET.Element, warnings: list[str]) -> Verb:
    name = element.tag
    known = _SCHEMA[name]
    for attribute in element.attrib.keys() - known.attributes:
        warnings.append(f"<{name}> has no attribute {attribute!r} (names are case-sensitive); it is ignored")
    for attribute in element.attrib.keys() & known.attributes & _NUMBERS:
        if not element.attrib[attribute].isdecimal():
            warnings.append(f"{attribute} of <{name}> is no whole number; the default is taken")
            del element.attrib[attribute]
    children = [] if name in _PLAIN_TEXT else list(element)
    for child in children:
        if child.tag not in known.children:
            warnings.append(f"<{child.tag}> is not known inside <{name}> (names are case-sensitive); it is skipped")
    return Verb(
        name,
        {key: value for key, value in element.attrib.items() if key in known.attributes},
        "".join(element.itertext() if name in _PLAIN_TEXT else [element.text or ""]).strip(),
        tuple(_read(child, warnings) for child in children if child.tag in known.children),
    )
