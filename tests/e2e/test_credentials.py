"""Each host is given its own token and nothing else, and nobody is shown any."""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

import pytest

from repomill.demo.behaviours import Delay, Redirect, RequireToken, Status
from repomill.demo.githost import GitHost
from repomill.demo.repositories import write_repository
from tests.e2e.command import PATIENCE_SECONDS, Command, Ended, end_of, trusting
from tests.e2e.processes import family
from tests.e2e.proxy import Proxy
from tests.e2e.spellings import found

# What percent-encoding and Base64's two alphabets each write in another way is in all of them.
FIRST = "canary+one/~?>first==token"
SECOND = "canary+two/~?>second==token"
GITHUB = "canary+three/~?>github==token"
PASSWORD = "canary+four/~?>proxy==password"  # noqa: S105 the proxy of these tests wants it
SECRETS = (FIRST, SECOND, GITHUB, PASSWORD)


def basic(token: str) -> str:
    return "Basic " + base64.b64encode(f"x-access-token:{token}".encode()).decode()


def test_a_secret_is_found_in_every_spelling():
    password = f"http://user:{quote(PASSWORD, safe='')}@127.0.0.1".encode()

    assert found(SECRETS, f"Authorization: {basic(FIRST)}".encode(), password) == [FIRST, PASSWORD]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Two hosts, each of which is to know one token."""

    run: Command
    first: GitHost
    second: GitHost
    variables: Mapping[str, str]

    def tokens_seen(self) -> dict[str, set[str | None]]:
        return {
            name: {request.authorization for request in host.requests}
            for name, host in (("first", self.first), ("second", self.second))
        }


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with Proxy(credentials=f"user:{PASSWORD}") as proxy:
        yield proxy


@pytest.fixture
def scene(run, root, host, ca, proxy) -> Iterator[Scene]:
    write_repository(root / "owner" / "name.git", {"README.md": b"# Name\n"})
    with GitHost(root, ca=ca) as second:
        tokens = {host.authority: FIRST, second.authority: SECOND}
        variables = {
            **trusting(host, second),
            "REPOMILL_TOKENS": json.dumps(tokens),
            "GITHUB_TOKEN": GITHUB,
            "https_proxy": f"http://user:{quote(PASSWORD, safe='')}@{proxy.authority}",
            "no_proxy": "localhost",
        }
        yield Scene(run=run, first=host, second=second, variables=variables)


def shown(ended: Ended) -> list[str]:
    return found(SECRETS, ended.stdout, ended.stderr.encode())


@pytest.mark.parametrize("by_proxy", [False, True])
def test_a_host_is_given_its_own_token(scene, proxy, tmp_path, by_proxy):
    scene.first.script("owner/name", RequireToken(FIRST))
    digest, metadata = tmp_path / "digest.txt", tmp_path / "metadata.json"

    ended = scene.run(
        *("digest", scene.first.url("owner/name"), "--log-level", "debug"),
        *("-o", digest, "--metadata", metadata),
        **{**scene.variables, "no_proxy": "" if by_proxy else "localhost"},
    )

    assert ended.code == 0, ended.stderr
    assert scene.tokens_seen() == {"first": {basic(FIRST)}, "second": set()}
    assert set(proxy.asked) == ({scene.first.authority} if by_proxy else set())
    assert shown(ended) == []
    assert found(SECRETS, digest.read_bytes(), metadata.read_bytes()) == []


def test_a_token_for_a_host_is_not_for_its_other_ports(scene):
    tokens = json.dumps({"localhost": FIRST, scene.second.authority: SECOND})
    variables = {**scene.variables, "REPOMILL_TOKENS": tokens}

    assert scene.run("digest", scene.first.url("owner/name"), **variables).code == 0

    assert scene.tokens_seen() == {"first": {None}, "second": set()}


@pytest.mark.parametrize("known", [True, False])
def test_behind_a_redirect_the_next_host_is_given_its_own_token_or_none(scene, known):
    scene.first.script("owner/old", Redirect(scene.second.url("owner/name") + "{rest}"))
    tokens = {scene.first.authority: FIRST, **({scene.second.authority: SECOND} if known else {})}
    variables = {**scene.variables, "REPOMILL_TOKENS": json.dumps(tokens)}

    ended = scene.run("digest", scene.first.url("owner/old"), "--log-level", "debug", **variables)

    assert ended.code == 0, ended.stderr
    assert scene.tokens_seen() == {
        "first": {basic(FIRST)},
        "second": {basic(SECOND) if known else None},
    }
    assert shown(ended) == []


@pytest.mark.parametrize("redirected", [False, True])
def test_a_git_process_knows_the_token_of_its_own_host_alone(scene, redirected):
    scene.first.script("owner/old", Redirect(scene.second.url("owner/held") + "{rest}"))
    asked, host, own, others = (
        ("owner/old", scene.second, SECOND, [FIRST, GITHUB])
        if redirected
        else ("owner/held", scene.first, FIRST, [SECOND, GITHUB])
    )
    host.script("owner/held", Delay(60))

    with scene.run.start(
        "digest", scene.first.url(asked), "--log-level", "debug", **scene.variables
    ) as process:
        host.wait_for_requests(1, answered=False, timeout_seconds=PATIENCE_SECONDS)
        itself, *children = family(process.pid)
        process.terminate()
        stopped = end_of(process)

    assert any(b"git-remote-https" in child.arguments for child in children)
    assert found([own], *(child.environment for child in children)) == [own]
    assert found(others, *(child.environment for child in children)) == []
    assert found(SECRETS, *(one.arguments for one in (itself, *children))) == []
    assert shown(stopped) == []


@pytest.mark.parametrize(("code", "error_class"), [(401, "auth"), (429, "rate_limited")])
def test_a_refused_token_is_not_shown(scene, code, error_class):
    scene.first.script("owner/name", Status(code, {"WWW-Authenticate": "Basic"}))

    ended = scene.run(
        "digest", scene.first.url("owner/name"), "--log-level", "debug", **scene.variables
    )

    assert ended.code == 1
    assert ended.last["error_class"] == error_class
    assert shown(ended) == []


def test_a_host_that_repeats_its_token_is_not_repeated(scene):
    echo = f"{quote(FIRST, safe='')}/{basic(FIRST).removeprefix('Basic ')}"
    scene.first.script("owner/name", Redirect(scene.first.url(echo)))

    ended = scene.run("digest", scene.first.url("owner/name"), **scene.variables)

    assert ended.last["error_class"] == "not_found"
    assert "***" in ended.last["error"]
    assert shown(ended) == []


def test_the_password_of_a_proxy_is_not_shown(scene, proxy):
    wrong = scene.variables["https_proxy"].replace("//user:", "//user:wrong")
    variables = {**scene.variables, "https_proxy": wrong, "no_proxy": ""}

    ended = scene.run("digest", scene.first.url("owner/name"), "--log-level", "debug", **variables)

    assert proxy.asked == []
    assert ended.code == 1
    assert ended.last["error_class"] == "auth"
    assert shown(ended) == []


def test_a_proxy_that_is_no_url_is_a_matter_of_usage(scene):
    ended = scene.run(
        "digest", scene.first.url("owner/name"), **{**scene.variables, "https_proxy": "http://[x"}
    )

    assert ended.code == 2
    assert "Traceback" not in ended.stderr


@pytest.fixture
def github(root, ca) -> Iterator[GitHost]:
    """A host that can prove to be GitHub; the way to it is a proxy."""
    write_repository(root / "owner" / "name.git", {"README.md": b"# Name\n"})
    with GitHost(root, ca=ca, names=["github.com"]) as github:
        yield github


def test_github_is_given_its_token(run, github):
    with Proxy(ports={"github.com:443": github.port}) as proxy:
        variables = {"https_proxy": f"http://{proxy.authority}", "GITHUB_TOKEN": GITHUB}
        ended = run("digest", "owner/name", **variables)

    assert ended.code == 0, ended.stderr
    assert set(proxy.asked) == {"github.com:443"}
    assert {request.authorization for request in github.requests} == {basic(GITHUB)}
    assert b"\nURL: https://github.com/owner/name\n" in ended.stdout


@pytest.mark.parametrize(("token", "error_class"), [(None, "not_found"), (GITHUB, "auth")])
def test_github_refuses_what_is_missing_as_if_it_were_private(run, github, token, error_class):
    github.script("owner/missing", Status(401, {"WWW-Authenticate": "Basic"}))
    with Proxy(ports={"github.com:443": github.port}) as proxy:
        variables = {"https_proxy": proxy.authority, **({"GITHUB_TOKEN": token} if token else {})}
        ended = run("digest", "owner/missing", **variables)

    assert (ended.code, ended.last["error_class"]) == (1, error_class)
    assert "token" in ended.last["error"]
