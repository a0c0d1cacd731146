"""GET over https, from real servers and through a real proxy."""

import pytest

from repomill import http
from repomill.demo.behaviours import Delay, Redirect, Status
from repomill.demo.githost import GitHost
from repomill.errors import BlockedError, NetworkError, UsageError
from repomill.network import NetworkRules
from tests.e2e.proxy import Proxy

HELLO = Status(200, {}, b"hello")
NOBODY = "127.0.0.2"
"""An address of this machine at which no server of these tests listens."""


def rules_for(host, **settings):
    return NetworkRules(
        **{"allowed": frozenset({"localhost"}), "ca_file": str(host.ca_file)} | settings
    )


def url_of(host, path="some/file"):
    return http.parse(host.url(path))


def fetched(url, rules, get=http.get, **options):
    """Return status and body of what answers."""
    with get(url, rules, **options) as response:
        return response.status, http.Body(response).read()


def test_the_answer_is_what_the_server_sent(host):
    host.script("some/file", HELLO)

    assert fetched(url_of(host), rules_for(host)) == (200, b"hello")


def test_the_request_names_the_host_the_path_and_who_asks(host):
    url = http.parse(host.url("some/file?page=1"))

    fetched(url, rules_for(host), headers={"X-Further": "yes"})

    (request,) = host.requests
    assert (request.host, request.path, request.query) == (host.authority, "/some/file", "page=1")
    assert request.headers["user-agent"].startswith("repomill/")
    assert request.headers["x-further"] == "yes"


def test_a_body_is_not_decoded(host):
    host.script("some/file", Status(200, {"Content-Encoding": "gzip"}, b"not gzip at all"))

    assert fetched(url_of(host), rules_for(host)) == (200, b"not gzip at all")


def test_an_address_that_does_not_answer_is_passed_over(host):
    host.script("some/file", HELLO)
    rules = rules_for(host, resolver=lambda *_: [NOBODY, "127.0.0.1"])

    assert fetched(url_of(host), rules) == (200, b"hello")


def test_only_the_addresses_that_were_checked_are_connected_to(host):
    rules = rules_for(host, resolver=lambda *_: [NOBODY])

    with pytest.raises(NetworkError, match=r"localhost:\d+ did not answer"):
        fetched(url_of(host), rules)
    assert host.requests == []


def test_a_private_address_is_refused(host):
    rules = rules_for(host, allowed=frozenset())

    with pytest.raises(BlockedError, match="--allow-host localhost"):
        fetched(url_of(host), rules)


def test_an_unknown_certificate_is_refused(host):
    rules = rules_for(host, ca_file=None)

    with pytest.raises(NetworkError, match="GIT_SSL_CAINFO"):
        fetched(url_of(host), rules)


def test_a_certificate_for_another_name_is_refused(root, ca):
    with GitHost(root, names=["elsewhere.example"], ca=ca) as host:
        rules = rules_for(host)

        with pytest.raises(NetworkError, match="no trusted connection to localhost"):
            fetched(url_of(host), rules)


def test_a_file_of_certificates_that_is_missing_is_named(host):
    rules = rules_for(host, ca_file="/nowhere/ca.pem")

    with pytest.raises(NetworkError, match=r"/nowhere/ca\.pem"):
        fetched(url_of(host), rules)


def test_a_silent_server_is_not_waited_for(host):
    host.script("some/file", Delay(60))

    with pytest.raises(NetworkError, match="did not answer"):
        fetched(url_of(host), rules_for(host), timeout_seconds=0.1)


def test_a_body_that_ends_before_its_length_is_an_error(host):
    host.script("some/file", Status(200, {"Content-Length": "10", "Connection": "close"}, b"hello"))

    with http.get(url_of(host), rules_for(host)) as response:
        body = http.Body(response)
        assert body.read(100) == b"hello"
        with pytest.raises(NetworkError, match="broke before everything had come"):
            body.read(100)


def test_a_body_that_stalls_is_an_error(host):
    host.script("some/file", Status(200, {"Content-Length": "10"}, b"hello"))

    with (
        http.get(url_of(host), rules_for(host), timeout_seconds=0.5) as response,
        pytest.raises(NetworkError, match="ReadTimeoutError"),
    ):
        http.Body(response).read()


def test_a_plain_get_leaves_a_redirect_alone(host):
    host.script("some/file", Redirect(host.url("other/file")))

    assert fetched(url_of(host), rules_for(host)) == (301, b"")


def following(host, rules=None):
    return fetched(url_of(host), rules or rules_for(host), http.get_following)


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["{base}/other/file", "/other/file", "../other/file"])
def test_a_redirect_is_followed(host, code, location):
    location = location.format(base=f"https://{host.authority}")
    host.script("some/file", Status(code, {"Location": location}))
    host.script("other/file", HELLO)

    assert following(host) == (200, b"hello")


def test_a_redirect_to_nowhere_is_an_answer_like_others(host):
    host.script("some/file", Status(302, {}, b"where?"))

    assert following(host) == (302, b"where?")


def test_five_redirects_are_followed(host):
    host.script("some/file", Redirect(host.url("some/file")), times=5)
    host.script("some/file", HELLO)

    assert following(host) == (200, b"hello")


def test_six_are_not(host):
    host.script("some/file", Redirect(host.url("some/file")), times=6)
    host.script("some/file", HELLO)

    with pytest.raises(BlockedError, match="more than 5 times; use the final URL"):
        following(host)
    assert len(host.requests) == 6


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://localhost/file", "only https"),
        ("ftp://localhost/file", "only https"),
        ("https://me:secret@localhost/file", "credentials"),
        ("https://localhost:99999/file", "no URL"),
        ("https://me:secret@[::1/file", "no URL"),
    ],
)
def test_a_redirect_is_checked_like_a_new_url(host, location, reason):
    host.script("some/file", Status(302, {"Location": location}))

    with pytest.raises(BlockedError, match=reason) as caught:
        following(host)
    assert "secret" not in str(caught.value)


def test_a_redirect_to_a_private_address_is_refused(host):
    host.script("some/file", Redirect(f"https://127.0.0.1:{host.port}/other/file"))
    host.script("other/file", HELLO)

    with pytest.raises(BlockedError, match="no public address"):
        following(host)


def test_a_redirect_takes_its_own_address(root, ca, host):
    with GitHost(root, names=["elsewhere.example"], ca=ca) as elsewhere:
        host.script("some/file", Redirect(f"https://elsewhere.example:{elsewhere.port}/a/b"))
        elsewhere.script("a/b", HELLO)
        addresses = {"localhost": "127.0.0.1", "elsewhere.example": "127.0.0.1"}
        rules = rules_for(
            host, allowed=frozenset(addresses), resolver=lambda name, _: [addresses[name]]
        )

        assert following(host, rules) == (200, b"hello")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("https://example.org/a/b?c=d#e", "https://example.org/a/b?c=d"),
        ("HTTPS://Example.ORG", "https://example.org/"),
        ("https://example.org:443/a", "https://example.org/a"),
        ("https://[2001:db8::1]:8443/a", "https://[2001:db8::1]:8443/a"),
        ("https://example.org/a\r\nHost: b", "https://example.org/a%0D%0AHost:%20b"),
    ],
)
def test_a_url_is_read(text, read):
    assert str(http.parse(text)) == read


@pytest.mark.parametrize(
    "text",
    [
        "example.org/a",
        "http://example.org/a",
        "s3://bucket/a",
        "https://",
        "https:///a",
        "https://user@example.org/",
        "https://user:secret@example.org/",
        "https://exa mple.org/",
        "https://example.org:port/",
        "",
    ],
)
def test_what_is_no_plain_https_url_is_refused(text):
    with pytest.raises(UsageError) as caught:
        http.parse(text)
    assert "secret" not in str(caught.value)


def test_a_proxy_is_given_the_name_and_its_password(root, ca):
    with (
        GitHost(root, names=["inside.example"], ca=ca) as host,
        Proxy(credentials="me:secret") as proxy,
    ):
        host.script("a/b", HELLO)
        rules = rules_for(host, proxies={"https": f"http://me:secret@{proxy.authority}"})

        url = http.parse(f"https://inside.example:{host.port}/a/b")

        assert fetched(url, rules) == (200, b"hello")
        assert proxy.asked == [url.authority]


@pytest.mark.parametrize(
    "proxy_url", ["http://me:wrong@{}", f"http://me:wrong@{NOBODY}:1", "socks5://me:wrong@{}"]
)
def test_a_proxy_that_is_of_no_use_is_said_so_without_its_password(host, proxy_url):
    with Proxy(credentials="me:secret") as proxy:
        rules = rules_for(host, proxies={"https": proxy_url.format(proxy.authority)})

        with pytest.raises(NetworkError, match="proxy") as caught:
            fetched(http.parse("https://inside.example/a"), rules)
        assert proxy.asked == []
    assert "wrong" not in str(caught.value)
