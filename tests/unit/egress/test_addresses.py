"""Which addresses are refused, in every spelling that somebody may try."""
# ruff: noqa: RUF001 (characters that look like others are among those spellings)

from ipaddress import ip_address

import pytest

from app.egress.addresses import AllowList, refusal
from app.egress.urls import check_url
from app.errors import EgressRefused


def words(text: str) -> list[str]:
    return text.split()


NOT_PUBLIC = words("""
    127.0.0.1 127.255.255.254 10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1 169.254.169.254
    169.254.170.2 100.64.0.1 100.127.255.255 100.100.100.200 0.0.0.0 0.1.2.3 192.0.0.1 192.0.0.192 192.0.2.1
    198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 192.88.99.1 224.0.0.1 239.255.255.255 240.0.0.1
    255.255.255.255 168.63.129.16
    :: ::1 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::ffff:10.0.0.1 ::ffff:0:127.0.0.1
    64:ff9b::127.0.0.1 64:ff9b::a9fe:a9fe 64:ff9b:1::808:808 2002:7f00:1:: 2002:808:808:: 2001:0:7f00:1::
    2001:db8::1 3fff::1 2001:2::1 2001:10::1 fc00::1 fd00::1 fd00:ec2::254 fd20:ce::254 fe80::1 fe80::a9fe:a9fe
    fec0::1 ff02::1 100::1 5f00::1 4000::1 e000::1
""")

PUBLIC = words("""
    8.8.8.8 1.1.1.1 100.63.255.255 100.128.0.1 172.15.255.255 172.32.0.1 169.253.1.1 198.17.0.1 198.20.0.1
    2606:4700::1111 2a00:1450::1 2003::1 ::ffff:8.8.8.8 64:ff9b::808:808
""")


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_off_the_public_internet_is_refused(address: str) -> None:
    assert refusal(ip_address(address), AllowList())


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_not_refused(address: str) -> None:
    assert refusal(ip_address(address), AllowList()) is None


@pytest.mark.parametrize(
    ("address", "entry"),
    [
        ("10.1.2.3", "10.0.0.0/8"),
        ("10.1.2.3", "10.1.2.3"),
        ("::ffff:10.1.2.3", "10.1.2.3"),
        ("64:ff9b::a01:203", "10.1.2.3"),
        ("::1", "::1"),
        ("fd12::1", "fd12::/16"),
    ],
)
def test_an_allowed_address_is_let_in_however_it_is_written(address: str, entry: str) -> None:
    assert refusal(ip_address(address), AllowList([entry])) is None
    assert refusal(ip_address("192.168.0.1"), AllowList([entry]))


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "::ffff:169.254.169.254", "0.0.0.0", "::", "fd00:ec2::254", "fe80::1", "ff02::1"]
)
def test_metadata_and_what_no_server_can_have_is_never_let_in(address: str) -> None:
    everything = AllowList(["0.0.0.0/0", "::/0"])

    assert "cannot be allowed" in str(refusal(ip_address(address), everything, host_allowed=True))


@pytest.mark.parametrize("entry", ["", "10.0.0.1/8", "10.0.0.0/33", "300.1.1.1", "0x7f.1.1.1.1", "::1::", "a/b"])
def test_what_is_no_network_address_or_host_cannot_be_allowed(entry: str) -> None:
    with pytest.raises(ValueError, match="neither a network"):
        AllowList([entry])


LOCAL_SPELLINGS = words("""
    127.0.0.1 127.0.0.1. 127.1 127.0.1 127 2130706433 0x7f000001 0x7f.0.0.1 0x7f.1 0X7F.0.0.1 0177.0.0.1 017700000001
    0177.0x0.0.1 127.0.0.01 00.0.0.0 0 0. 0x 0x0 000000 1.0x7f 127.0.0.1.. 4294967295 99999999999999999999
    3232235521 0xa9fea9fe 2852039166 169.254.169.254. 0251.0376.0251.0376 169.254.43518
    [::1] [::] [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1] [::ffff:7f00:1] [::127.0.0.1] [::1%25lo] [fe80::1%25eth0]
    [fe80::1%eth0] [64:ff9b::7f00:1] [2002:7f00:1::] [2001:0:7f00:1::1] [fd00:ec2::254] [v1.fe80::a] [::1 ::1
    localhost LOCALHOST localhost. a.localhost a.LocalHost.
    １２７.0.0.1 ①②⑦.⓪.⓪.① 127。0。0。1 127．0．0．1 127｡0｡0｡1 ⓛocalhost loc\u00adalhost 127%2e0%2e0%2e1 %31%32%37.0.0.1
    user@127.0.0.1 example.com@127.0.0.1 @127.0.0.1 example.com\\@127.0.0.1 example.com%40127.0.0.1
""")
LOCAL_SPELLINGS += ["127.0.0.1\t", " 127.0.0.1", "127.0.0.1\n", "example.com\x00", "127 .0.0.1"]


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", LOCAL_SPELLINGS)
def test_no_spelling_of_a_local_host_is_a_url_we_take(scheme: str, host: str) -> None:
    for url in (f"{scheme}://{host}/x", f"{scheme}://{host}:443/x", f"{scheme}://{host}"):
        with pytest.raises(EgressRefused):
            check_url(url)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://example.com/", "https"),
        ("file:///etc/passwd", "https"),
        ("gopher://example.com/", "https"),
        ("unix:///run/socket", "https"),
        ("//example.com/", "https"),
        ("example.com", "https"),
        ("", "https"),
        ("https:example.com", "host"),
        ("https:///x", "host"),
        ("http://example.com/", "https://"),
        ("https://me:secret@example.com/", "user name"),
        ("https://example.com/#part", "fragment"),
        ("https://example.com/#", "fragment"),
        ("https://example.com:0/", "port"),
        ("https://example.com:70000/", "port"),
        ("https://example.com./", "dot at its end"),
        ("https://exa mple.com/", "spaces"),
        ("https://example.com/" + "x" * 2048, "too long"),
        ("https://" + "x" * 64 + ".com/", "name like"),
        ("https://-.example..com/", "name like"),
        ("https://127.0.0.1/", "this machine itself"),
        ("https://169.254.169.254/latest", "metadata"),
        ("https://10.0.0.1/", "is private"),
    ],
)
def test_a_refused_url_says_why_and_never_repeats_a_password(url: str, reason: str) -> None:
    with pytest.raises(EgressRefused, match=reason) as refused:
        check_url(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com/a?b=c@d",
        "https://example.com:8443",
        "https://exämple.com/",
        "https://8.8.8.8/",
        "https://[2606:4700::1111]/",
        "HTTPS://Example.COM/",
        "https://my_host.example.com/",
    ],
)
def test_a_public_url_is_taken(url: str) -> None:
    check_url(url)


def test_plain_http_is_for_what_is_let_in() -> None:
    check_url("http://10.0.0.1:8080/", allow=["10.0.0.0/8"])
    check_url("http://hooks.internal/", allow=["hooks.internal"])
    check_url("http://hooks.internal/", allow=["10.0.0.0/8"])  # where it leads is checked when we connect
    for url in ("http://8.8.8.8/", "http://192.168.0.1/"):
        with pytest.raises(EgressRefused):
            check_url(url, allow=["10.0.0.0/8"])
