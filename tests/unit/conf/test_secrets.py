from typing import Any

import pytest
from pydantic import SecretStr

from app.conf.kept import keep_absent, keep_in_lists, unmask
from app.conf.models import AgentConf, Conf, Known, OpenAICoreConf, TwilioCoreConf
from app.conf.secrets import KeyRing, load_key_ring, mask, redact
from app.errors import ConfInvalid, SecretsError

OLD, NEW = "o" * 32, "n" * 32
KEY = "sk-proj-abcdefghijkl"
SID = "AC" + "0" * 32
TWILIO = TwilioCoreConf(account_sid=SID, auth_tokens=[SecretStr("first-token-1111"), SecretStr("second-token-2222")])


def seal_and_open(ring: KeyRing, conf: Conf, section: str) -> tuple[dict[str, Any], Conf]:
    sealed = ring.seal(section, "default", conf)
    return sealed, ring.open(section, "default", sealed, Known())


@pytest.mark.parametrize(
    ("section", "conf"),
    [
        ("openai", OpenAICoreConf(openai_api_key=SecretStr(KEY), project="p")),
        ("twilio", TWILIO),
        ("agent", AgentConf()),
    ],
)
def test_what_is_sealed_opens_as_it_was(section, conf):
    assert seal_and_open(KeyRing([NEW]), conf, section)[1] == conf


def test_sealed_rows_keep_only_what_was_set_and_no_secret_in_clear():
    sealed, _ = seal_and_open(KeyRing([NEW]), TWILIO, "twilio")
    assert sealed.keys() == {"account_sid", "auth_tokens"}
    assert all(token.startswith("v1:") for token in sealed["auth_tokens"])
    assert "token" not in str(sealed["auth_tokens"])


def test_the_first_key_encrypts_and_all_decrypt():
    written_before = KeyRing([OLD]).encrypt(KEY, where="here")
    rotated = KeyRing([NEW, OLD])

    assert rotated.decrypt(written_before, where="here") == KEY
    assert KeyRing([NEW]).decrypt(rotated.encrypt(KEY, where="here"), where="here") == KEY
    assert rotated.signing_keys == KeyRing([NEW]).signing_keys + KeyRing([OLD]).signing_keys


def test_a_missing_key_is_named_and_nothing_is_told():
    stored = KeyRing([OLD]).encrypt(KEY, where="here")
    with pytest.raises(SecretsError, match=stored.split(":")[1]) as refused:
        KeyRing([NEW]).decrypt(stored, where="here")
    assert KEY not in str(refused.value)
    assert OLD not in str(refused.value)


@pytest.mark.parametrize("stored", ["", "plain", "v1:", "v2:00:aaaa", "v1:{id}:", "v1:{id}:%%%", "v1:{id}:AAAA"])
def test_what_we_did_not_write_is_refused(stored):
    ring = KeyRing([NEW])
    key_id = ring.encrypt("x", where="here").split(":")[1]
    with pytest.raises(SecretsError):
        ring.decrypt(stored.format(id=key_id), where="here")


def test_a_sealed_value_opens_only_at_its_place():
    ring = KeyRing([NEW])
    sealed = ring.seal("openai", "default", OpenAICoreConf(openai_api_key=SecretStr(KEY)))
    with pytest.raises(SecretsError):
        ring.open("openai", "other", sealed, Known())


def test_every_key_has_32_characters():
    with pytest.raises(SecretsError, match="32"):
        KeyRing([NEW, "short"])


def test_encryption_signing_and_key_id_share_no_bytes():
    ring = KeyRing([NEW])
    [signing] = ring.signing_keys
    assert ring.encrypt("x", where="").split(":")[1] not in signing.hex()
    assert NEW not in repr(vars(ring)["_first"])


def test_a_masked_secret_shows_its_last_four_characters_if_it_is_long_enough():
    assert mask(KEY) == "****ijkl"
    assert mask("short") == "****"
    assert redact(TWILIO)["auth_tokens"] == ["****1111", "****2222"]
    assert redact(AgentConf())["voice"] == "marin"


def test_a_secret_left_out_is_kept_and_null_takes_it_away():
    stored = TwilioCoreConf(
        account_sid=SID, auth_tokens=TWILIO.auth_tokens, api_key_sid="SK1", api_key_secret=SecretStr("secret-secret")
    )
    assert keep_absent({"account_sid": SID, "api_key_sid": "SK2"}, stored) == {
        "account_sid": SID,
        "api_key_sid": "SK2",
        "auth_tokens": ["first-token-1111", "second-token-2222"],
        "api_key_secret": "secret-secret",
    }
    assert keep_absent({"api_key_secret": None}, stored)["api_key_secret"] is None


HTTP = {"type": "http", "name": "orders", "description": "d", "url": "https://shop.example.com/"}
MCP = {"type": "mcp", "server_label": "crm", "server_url": "https://mcp.example.com/sse"}
HEADERS, TOKEN = {"Authorization": "Bearer abcdefgh"}, "the-token-of-the-server"


@pytest.mark.parametrize("keep", [keep_absent, keep_in_lists])
def test_secrets_left_out_of_tools_are_those_of_the_tool_of_the_same_type_and_name(keep):
    tools = [{"type": "end_call"}, HTTP | {"headers": HEADERS}, MCP | {"authorization": TOKEN}]
    stored = AgentConf.model_validate({"tools": tools})

    def kept(*given: object) -> object:
        return keep({"tools": list(given)}, stored)["tools"]

    assert kept(MCP, HTTP | {"url": "https://b.example.com/"}, {"type": "end_call"}) == [
        MCP | {"authorization": TOKEN},
        HTTP | {"url": "https://b.example.com/", "headers": HEADERS},
        {"type": "end_call"},
    ]
    away = [HTTP | {"headers": {}}, MCP | {"authorization": None}]
    others = [HTTP | {"name": "stock"}, MCP | {"server_label": "orders"}, "no tool", {"type": {}, "name": []}]
    assert kept(*away, *others) == [*away, *others]


def test_a_patch_takes_secrets_away_that_it_nulls():
    stored = AgentConf.model_validate({"tools": [MCP | {"authorization": TOKEN}], "voice": "cedar"})
    patch = {"voice": None, "tools": None, "unheard_of": [MCP], "model_fields": [MCP]}
    assert keep_in_lists(patch, stored) == patch


def test_masked_secrets_stand_for_the_stored_ones_in_any_order():
    given = TwilioCoreConf(account_sid=SID, auth_tokens=[SecretStr("a-new-token"), SecretStr("****1111")])
    assert unmask(given, TWILIO)["auth_tokens"] == ["a-new-token", "first-token-1111"]


@pytest.mark.parametrize("stored", [None, TWILIO])
def test_a_masked_secret_that_we_do_not_hold_is_refused(stored):
    given = TwilioCoreConf(account_sid=SID, auth_tokens=[SecretStr("****9999")])
    with pytest.raises(ConfInvalid, match=r"auth_tokens\.0"):
        unmask(given, stored)


def test_without_a_configured_key_one_is_made_once_and_kept_for_us_alone(tmp_path):
    first = load_key_ring(None, tmp_path / "data")
    again = load_key_ring(None, tmp_path / "data")

    assert again.decrypt(first.encrypt(KEY, where="here"), where="here") == KEY
    assert (tmp_path / "data" / "secret_key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["secret_key"]


def test_configured_keys_are_comma_separated(tmp_path):
    ring = load_key_ring(SecretStr(f"{NEW}, {OLD}"), tmp_path)
    assert ring.signing_keys == KeyRing([NEW, OLD]).signing_keys
    assert not list(tmp_path.iterdir())
