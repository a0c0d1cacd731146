"""Which addresses may be connected to."""

import ipaddress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repomill import network
from repomill.errors import BlockedError, NetworkError, UsageError
from repomill.network import NetworkRules, Route

PUBLIC = "140.82.121.4"
PROXY = "http://proxy.example:3128"


def resolving(*addresses: str):
    """A resolver that finds the same for every name."""
    return lambda _host, _port: addresses


def resolving_nothing(host: str, _port: int):
    raise AssertionError(f"{host} was looked up")


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254"),
        *("100.64.0.1", "100.100.100.200", "0.0.0.0", "255.255.255.255", "224.0.0.1"),  # noqa: S104
        *("192.0.2.1", "198.18.0.1", "240.0.0.1", "168.63.129.16"),
        *("::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1"),
        *("::ffff:127.0.0.1", "::ffff:168.63.129.16"),
        *("2002:7f00:1::", "2002:a9fe:a9fe::1"),  # 6to4
        *("64:ff9b::10.0.0.1", "64:ff9b:1::169.254.169.254"),  # NAT64
        "2001:0:7f00:1::",  # Teredo
    ],
)
def test_an_address_is_private_in_any_reading(address):
    assert not network.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [PUBLIC, "1.1.1.1", "2606:50c0:8000::153", f"::ffff:{PUBLIC}", f"64:ff9b::{PUBLIC}"],
)
def test_an_address_of_the_internet_is_public(address):
    assert network.is_public(ipaddress.ip_address(address))


@settings(deadline=None)
@given(st.ip_addresses(v=4))
def test_a_mapped_address_is_as_public_as_what_is_mapped(address):
    mapped = ipaddress.ip_address(f"::ffff:{address}")

    assert network.is_public(mapped) == network.is_public(address)


def test_a_route_goes_to_the_addresses_that_were_checked():
    rules = NetworkRules(resolver=resolving(PUBLIC, "2606:50c0:8000::153"))

    assert rules.route("github.com", 443) == Route(addresses=(PUBLIC, "2606:50c0:8000::153"))


def test_one_private_address_among_many_is_enough():
    rules = NetworkRules(resolver=resolving(PUBLIC, "fe80::1%eth0"))

    with pytest.raises(BlockedError, match=r"host leads to fe80::1, .* --allow-host host"):
        rules.route("host", 443)


@pytest.mark.parametrize("allowed", ["host", "host:8443", " HOST "])
def test_an_allowed_host_may_have_a_private_address(allowed):
    rules = network.from_environment({}, allowed=[allowed])

    route = NetworkRules(allowed=rules.allowed, resolver=resolving("10.0.0.1")).route("host", 8443)

    assert route == Route(addresses=("10.0.0.1",))


@pytest.mark.parametrize("allowed", ["host:443", "host:84", "other", "ho", "10.0.0.1"])
def test_a_host_is_allowed_exactly(allowed):
    rules = NetworkRules(allowed=frozenset([allowed]), resolver=resolving("10.0.0.1"))

    with pytest.raises(BlockedError):
        rules.route("host", 8443)


@pytest.mark.parametrize("allowed", ["::1", "[::1]", "[::1]:8443"])
def test_an_allowed_address_can_be_written_as_in_a_url(allowed):
    rules = NetworkRules(allowed=frozenset([allowed]))

    assert rules.route("::1", 8443) == Route(addresses=("::1",))


@pytest.mark.parametrize("allowed", ["", " ", "https://host", "host/path", "me@host"])
def test_an_allowed_host_is_no_url(allowed):
    with pytest.raises(UsageError, match="write HOST or HOST:PORT"):
        network.from_environment({}, allowed=[allowed])


@pytest.mark.parametrize("failure", [OSError("no such host"), UnicodeError("label too long")])
def test_an_unknown_name_is_told_so(failure):
    def failing(_host: str, _port: int):
        raise failure

    with pytest.raises(NetworkError, match="host has no address; check the spelling and the DNS"):
        NetworkRules(resolver=failing).route("host", 443)


@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("value", [PROXY, PROXY.removeprefix("http://")])
def test_behind_a_proxy_the_proxy_resolves(variable, value):
    proxies = network.from_environment({variable: value}).proxies

    route = NetworkRules(proxies=proxies, resolver=resolving_nothing).route("github.com", 443)

    assert route == Route(proxy=PROXY)


def test_an_address_written_out_is_checked_behind_a_proxy_too():
    rules = NetworkRules(proxies={"https": PROXY})

    for host in ("127.0.0.1", "127.1", "0x7f.1", "2130706433", "017700000001", "::1"):
        with pytest.raises(BlockedError):
            rules.route(host, 443)
    assert rules.route(PUBLIC, 443) == Route(proxy=PROXY)


@pytest.mark.parametrize("host", ["localhost", "git.localhost"])
def test_this_machine_is_never_left_to_a_proxy(host):
    rules = NetworkRules(proxies={"https": PROXY}, resolver=resolving("127.0.0.1"))

    with pytest.raises(BlockedError):
        rules.route(host, 443)


@pytest.mark.parametrize("no_proxy", ["*", "host", ".example.org,host", "10.0.0.0/8, HOST"])
def test_a_host_can_be_spared_the_proxy(no_proxy):
    environ = {"HTTPS_PROXY": PROXY, "no_proxy": no_proxy}
    proxies = network.from_environment(environ).proxies

    route = NetworkRules(proxies=proxies, resolver=resolving(PUBLIC)).route("host", 443)

    assert route == Route(addresses=(PUBLIC,))


@pytest.mark.parametrize(
    ("environ", "ca_file"),
    [
        ({}, None),
        ({"SSL_CERT_FILE": ""}, None),
        ({"SSL_CERT_FILE": "theirs.pem"}, "theirs.pem"),
        ({"SSL_CERT_FILE": "theirs.pem", "GIT_SSL_CAINFO": "gits.pem"}, "gits.pem"),
    ],
)
def test_certificates_are_those_that_git_would_trust(environ, ca_file):
    expected = ca_file and str(Path(ca_file).absolute())
    assert network.from_environment(environ).ca_file == expected


def test_a_proxy_with_a_password_does_not_show_it():
    rules = NetworkRules(proxies={"https": "http://me:s3cret@proxy"})

    assert "s3cret" not in repr(rules) + repr(Route(proxy="http://me:s3cret@proxy"))
