"""Where a fetch may go: names are resolved once, checked, and connected to as they were checked."""

import itertools
import os
import re
import socket
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pygit2
import pytest
import trustme

from repomill import urls
from repomill.deadline import Deadline
from repomill.demo.behaviours import Delay, Redirect, Status
from repomill.demo.githost import GitHost
from repomill.demo.repositories import write_repository
from repomill.errors import BlockedError, MovedError, NetworkError, RateLimitedError
from repomill.git.fetch import FetchOptions, fetch
from repomill.network import NetworkRules, from_environment
from tests.e2e.proxy import Proxy

NAME = "git.example"
"""No DNS knows it (RFC 6761, 6.5)."""
PUBLIC = "192.0.9.1"
MINUTE = 60
LOOPBACK = "127.0.0.1"

PRIVATE = (
    *("127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001"),
    *("0", "00.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1"),
    *("169.254.169.254", "0xa9fea9fe", "168.63.129.16", "198.18.0.1", "224.0.0.1"),
    *("240.0.0.1", "255.255.255.255", "localhost"),
    *("[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:a9fe:a9fe]"),
    *("[fc00::1]", "[fd00:ec2::254]", "[fe80::1]", "[ff02::1]", "[2001:db8::1]"),
    *("[64:ff9b::7f00:1]", "[64:ff9b::169.254.169.254]", "[2002:7f00:1::]"),
)
OVERLOOKED = ("[::127.0.0.1]", "[::ffff:0:127.0.0.1]", "[fec0::1]")

Answers = Callable[[str, int], Sequence[str]]


@pytest.fixture
def commit(root: Path) -> str:
    return write_repository(root / "owner" / "name.git", {"README.md": b"# Name\n"})


@pytest.fixture
def host(root, commit, ca):
    """A host that proves to be one the DNS does not know."""
    with GitHost(root, ca=ca, names=[NAME]) as host:
        yield host


def url(host: GitHost, repository: str = "owner/name") -> str:
    return f"https://{NAME}:{host.port}/{repository}"


def rules(host: GitHost, resolver: Answers) -> NetworkRules:
    """Return the rules of a user who trusts the host, wherever it is."""
    return NetworkRules(
        allowed=frozenset({f"{NAME}:{host.port}"}), ca_file=str(host.ca_file), resolver=resolver
    )


def fetched(
    text: str,
    into: Path,
    network: NetworkRules,
    *,
    environ: Mapping[str, str] | None = None,
    seconds: float = 30,
) -> str:
    """Fetch and return the commit that came."""
    options = FetchOptions(
        blob_limit_bytes=1000,
        network=network,
        environ={"PATH": os.environ["PATH"], **(environ or {})},
    )
    found = fetch(urls.parse(text), into / "repo.git", options, Deadline(seconds))
    return str(pygit2.Repository(found.path).revparse_single(found.revision).id)


def unreachable(name: str, port: int) -> Sequence[str]:
    raise AssertionError(f"{name}:{port} is not to be looked up")


def test_the_connection_goes_to_the_address_that_was_found(host, commit, tmp_path):
    asked = []

    def resolver(name: str, port: int) -> Sequence[str]:
        asked.append((name, port))
        return [LOOPBACK]

    assert fetched(url(host), tmp_path, rules(host, resolver)) == commit
    assert asked == [(NAME, host.port)]
    assert {request.host for request in host.requests} == {f"{NAME}:{host.port}"}


def test_our_own_request_goes_there_too(host, commit, tmp_path):
    host.script("owner/old", Redirect(url(host) + "{rest}"))

    assert fetched(url(host, "owner/old"), tmp_path, rules(host, lambda *_: [LOOPBACK])) == commit


def test_one_address_of_several_is_enough(host, commit, tmp_path):
    host.script("owner/old", Redirect(url(host) + "{rest}"))
    network = rules(host, lambda *_: ["127.0.0.2", LOOPBACK])

    assert fetched(url(host, "owner/old"), tmp_path, network) == commit


def test_a_name_that_changes_its_mind_changes_nothing(host, commit, tmp_path):
    answers = iter([[LOOPBACK], ["127.0.0.2"]])

    assert fetched(url(host), tmp_path, rules(host, lambda *_: next(answers))) == commit
    assert list(answers) == [["127.0.0.2"]]


def test_a_name_is_looked_up_again_and_checked_again_behind_a_redirect(host, tmp_path):
    host.script("owner/old", Redirect("https://moved.example/owner/name{rest}"))
    answers = {NAME: [LOOPBACK], "moved.example": ["10.0.0.1"]}
    network = rules(host, lambda name, _: answers[name])

    with pytest.raises(MovedError) as moved:
        fetched(url(host, "owner/old"), tmp_path, network)
    with pytest.raises(BlockedError, match=r"moved\.example leads to 10\.0\.0\.1"):
        fetched(moved.value.clone_url, tmp_path, network)


@pytest.mark.parametrize("addresses", list(itertools.permutations([PUBLIC, LOOPBACK])))
def test_one_private_address_of_several_is_too_many(host, tmp_path, addresses):
    network = NetworkRules(ca_file=str(host.ca_file), resolver=lambda *_: addresses)

    with pytest.raises(BlockedError, match=r"git\.example leads to 127\.0\.0\.1.*--allow-host"):
        fetched(url(host), tmp_path, network)
    assert host.requests == []


def test_an_unknown_name_is_a_matter_of_the_network(host, tmp_path):
    def resolver(name: str, port: int) -> Sequence[str]:
        raise OSError("there is no such name")

    with pytest.raises(NetworkError, match="has no address; check the spelling and the DNS"):
        fetched(url(host), tmp_path, rules(host, resolver))


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_refused_in_every_spelling(tmp_path, address):
    with pytest.raises(BlockedError, match="which is no public address"):
        fetched(f"https://{address}/owner/name", tmp_path, NetworkRules())


@pytest.mark.parametrize("address", PRIVATE)
def test_a_proxy_is_not_asked_for_it_either(tmp_path, address):
    network = NetworkRules(proxies={"https": "http://127.0.0.1:1"})

    with pytest.raises(BlockedError, match="which is no public address"):
        fetched(f"https://{address}/owner/name", tmp_path, network)


@pytest.mark.parametrize("address", OVERLOOKED)
def test_deprecated_forms_are_refused_too(address):
    with pytest.raises(BlockedError):
        NetworkRules().route(address.strip("[]"), 443)


def test_an_address_of_ipv6_can_be_fetched_from(tmp_path):
    network = NetworkRules(allowed=frozenset({"[::1]:1"}))

    with pytest.raises(NetworkError, match=re.compile("connect", re.IGNORECASE)):
        fetched("https://[::1]:1/owner/name", tmp_path, network)


def test_how_long_to_wait_is_read_from_the_answer(host, tmp_path):
    host.script("owner/name", Status(429, {"Retry-After": "7"}))

    with pytest.raises(RateLimitedError) as refused:
        fetched(url(host), tmp_path, rules(host, lambda *_: [LOOPBACK]))
    assert refused.value.retry_after_seconds == 7


def test_a_host_that_asks_for_fewer_requests_may_say_no_more(host, tmp_path):
    host.script("owner/name", Status(429), times=1)
    host.script("owner/name", Delay(60))

    with pytest.raises(RateLimitedError):
        fetched(url(host), tmp_path, rules(host, lambda *_: [LOOPBACK]), seconds=2)


def by_proxy(host: GitHost, **environ: str) -> NetworkRules:
    """Return the rules that the environment makes, with a resolver that is not to be asked."""
    found = from_environment({**environ, "GIT_SSL_CAINFO": str(host.ca_file)})
    return replace(found, resolver=unreachable)


@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
@pytest.mark.parametrize(
    "credentials",
    [
        None,
        "user:password",
        "user:p@ss/word",
    ],
)
def test_a_proxy_is_used_by_git_and_by_us(host, commit, tmp_path, variable, credentials):
    host.script("owner/old", Redirect(url(host) + "{rest}"))
    with Proxy(credentials=credentials) as proxy:
        before = f"{quote(credentials, safe=':')}@" if credentials else ""
        environ = {variable: f"http://{before}{proxy.authority}"}
        network = by_proxy(host, **environ)

        assert fetched(url(host, "owner/old"), tmp_path, network, environ=environ) == commit

    # git, whose redirect we look at, and git once more
    assert proxy.asked == [f"{NAME}:{host.port}"] * 3


@pytest.mark.parametrize("written", [NAME, f"other.example,.{NAME}", ".example", "*"])
def test_a_host_that_needs_no_proxy_is_checked_and_pinned(host, commit, tmp_path, written):
    host.script("owner/old", Redirect(url(host) + "{rest}"))
    with Proxy() as proxy:
        environ = {"https_proxy": f"http://{proxy.authority}", "no_proxy": written}
        network = by_proxy(host, **environ)
        with pytest.raises(BlockedError):
            fetched(url(host), tmp_path, replace(network, resolver=lambda *_: [LOOPBACK]))
        trusting = replace(rules(host, lambda *_: [LOOPBACK]), proxies=network.proxies)

        assert fetched(url(host, "owner/old"), tmp_path, trusting, environ=environ) == commit

    assert proxy.asked == []


@pytest.mark.parametrize(
    "environ",
    [
        {"https_proxy": "PROXY", "no_proxy": f"other.example {NAME}"},
        {"https_proxy": "", "all_proxy": "PROXY"},
        {"https_proxy": "", "HTTPS_PROXY": "PROXY"},
        {"no_proxy": NAME, "NO_PROXY": "other.example", "https_proxy": "PROXY"},
        {"https_proxy": "PROXY", "no_proxy": f"{NAME}:PORT"},
    ],
    ids=["spaces", "empty, all", "empty, capitals", "two spellings", "port"],
)
def test_git_goes_the_way_that_was_checked(host, commit, tmp_path, environ):
    """Whether by proxy or not: never unchecked to what the system's DNS says."""
    with Proxy() as proxy:
        places = {"PROXY": f"http://{proxy.authority}", "PORT": str(host.port)}
        variables: dict[str, str] = {
            name: re.sub("PROXY|PORT", lambda found: places[found[0]], value)
            for name, value in environ.items()
        }
        network = replace(
            rules(host, lambda *_: [LOOPBACK]), proxies=from_environment(variables).proxies
        )
        route = network.route(NAME, host.port)

        assert fetched(url(host), tmp_path, network, environ=variables) == commit

    assert bool(proxy.asked) is bool(route.proxy)


def test_an_answer_that_trickles_in_ends_at_the_deadline(ca, run):
    with Trickle(ca) as port:
        host = f"localhost:{port}"
        ended = run("digest", f"https://{host}/o/n", "--timeout", 2, REPOMILL_ALLOW_HOST=host)

    assert ended.last["error_class"] == "timeout"
    assert 1.5 < ended.last["duration_seconds"] < MINUTE


class Trickle:
    """A TLS host that answers one request for a minute, a byte at a time, and never ends."""

    def __init__(self, ca: trustme.CA) -> None:
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert("localhost").configure_cert(self._tls)
        self._listening = socket.create_server((LOOPBACK, 0))
        self._left = threading.Event()
        self._answering = threading.Thread(target=self._answer)

    def __enter__(self) -> int:
        self._answering.start()
        port: int = self._listening.getsockname()[1]
        return port

    def __exit__(self, *_: object) -> None:
        self._left.set()
        self._answering.join()
        self._listening.close()

    def _answer(self) -> None:
        plain, _ = self._listening.accept()
        with plain, suppress(OSError), self._tls.wrap_socket(plain, server_side=True) as client:
            client.recv(65_536)
            client.sendall(b"HTTP/1.1 301 Moved Permanently\r\nX-Name: ")
            for _ in range(MINUTE * 10):
                client.sendall(b"x")
                if self._left.wait(0.1):
                    return
