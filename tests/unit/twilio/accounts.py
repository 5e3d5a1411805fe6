"""Two accounts, and Twilio's signing as its documentation describes it, written independently of the vendor's code."""

import base64
import hashlib
import hmac

from pydantic import SecretStr

from app.conf.models import TwilioCoreConf

OURS = "AC" + "a" * 32
THEIRS = "AC" + "b" * 32
CALL = "CA" + "1" * 32
TOKEN = "0123456789abcdef0123456789abcdef"
OLD_TOKEN = "fedcba9876543210fedcba9876543210"
OTHER_TOKEN = "11112222333344445555666677778888"


def account(sid: str = OURS, *tokens: str) -> TwilioCoreConf:
    return TwilioCoreConf(account_sid=sid, auth_tokens=[SecretStr(token) for token in tokens or (TOKEN,)])


def sign(url: str, fields: dict[str, str] | None = None, *, token: str = TOKEN, algorithm: str = "sha1") -> str:
    text = url + "".join(name + value for name, value in sorted((fields or {}).items()))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), algorithm).digest()).decode()


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
