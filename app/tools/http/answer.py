"""What the model is told of a web service's answer."""

import re
from email.message import Message
from http import HTTPStatus
from typing import Any

import msgspec

from app.conf.models import HttpTool, OutputMap
from app.conf.models.pointer import NotThere, found
from app.conf.models.tools.web import OUTPUT_PLACE
from app.egress.exchange import Answer
from app.errors import ToolError
from app.tools.http.render import as_text

DONE = "Done."
REFUSAL_CHARACTERS = 2000
"""So much of what a service says to a request that it refuses."""
AGAIN = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})

_JSON = re.compile(r"(application|text)/(.+\+)?json")
_TEXT = re.compile(r"text/.+|application/(.+\+)?(json|xml)|application/(javascript|x-ndjson|yaml|x-yaml|toml)")
_CHARSET = re.compile(
    r"utf-?(8|16|32)([-_]?[bl]e)?|(us-)?ascii|latin-?\d|iso-?8859-\d+|(windows-|cp)125\d|koi8-[ru]|shift[-_]jis|"
    r"euc-(jp|kr)|gb(2312|k|18030)|big5",
    re.IGNORECASE,
)
"""Others are no text of today, and some cost seconds to read."""


class Failed(ToolError):
    """The service failed, and may not the next time."""


def told(tool: HttpTool, answer: Answer) -> str:
    """What the model is told. Raises `ToolError`, or `Failed` where another try could help."""
    status = answer.status
    if status in AGAIN or status >= 500:
        raise Failed(f"The service failed ({status}).")
    if 300 <= status < 400:
        raise ToolError(f"The service answered with a redirect ({status}), which is not followed.")
    if not 200 <= status < 300:
        raise ToolError(f"The service refused it ({status}){_reason(answer)}")
    if not answer.whole:
        if len(answer.body) < tool.max_response_bytes:
            raise Failed("The service's answer broke off.")
        raise ToolError(f"The service's answer is longer than {tool.max_response_bytes} bytes.")
    if status == HTTPStatus.NO_CONTENT or not answer.body.strip():
        return DONE
    return _mapped(tool.output, _text(answer), is_json=_is_json(answer))


def _mapped(output: OutputMap, text: str, *, is_json: bool) -> str:
    wanted = output.pointer is not None or output.template is not None
    if not is_json and not wanted:
        return text
    document = _document(text)
    if not wanted:
        return text.strip()  # as it was written: no number loses a digit
    try:
        inner = found(document, output.pointer or "")
        return as_text(inner) if output.template is None else _filled(output.template, inner)
    except NotThere:
        raise ToolError("The service's answer does not have what was asked for.") from None


def _filled(template: str, document: Any) -> str:
    def value(place: re.Match[str]) -> str:
        try:
            return as_text(found(document, place[1]))
        except NotThere:
            return ""

    return OUTPUT_PLACE.sub(value, template)


def _document(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise ToolError("The service's answer is not valid JSON.") from None


def _text(answer: Answer) -> str:
    kind = _content_type(answer)
    if answer.headers.get("content-encoding", "identity").strip().lower() not in {"identity", ""}:
        raise ToolError("The service's answer is compressed, which it was asked not to be.")
    if "content-type" in answer.headers and not _TEXT.fullmatch(kind.get_content_type()):
        raise ToolError(f"The service's answer is no text, but {kind.get_content_type()}.")
    charset = str(kind.get_param("charset") or "utf-8").strip()
    try:
        if not _CHARSET.fullmatch(charset):
            raise LookupError(charset)
        return answer.body.decode(charset).removeprefix("\ufeff")
    except (LookupError, UnicodeDecodeError):
        raise ToolError(f"The service's answer cannot be read as {charset[:40]}.") from None


def _is_json(answer: Answer) -> bool:
    return _JSON.fullmatch(_content_type(answer).get_content_type()) is not None


def _content_type(answer: Answer) -> Message:
    message = Message()
    message["content-type"] = re.sub(r"[\r\n]", "", answer.headers.get("content-type", "text/plain"))
    return message


def _reason(answer: Answer) -> str:
    """What the service says, where it is meant for reading."""
    try:
        said = _text(answer).strip()
    except ToolError:
        said = ""
    is_page = _content_type(answer).get_content_type() in {"text/html", "application/xhtml+xml"}
    return "." if is_page or not said else f": {said[:REFUSAL_CHARACTERS]}"
