"""Tokens: each for its own host, and none in any text."""

import base64
import json
from contextlib import suppress
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repomill import credentials
from repomill.credentials import Credentials
from repomill.errors import UsageError

SECRETS = st.text(st.characters(codec="ascii", categories=["L", "N", "S", "P"]), min_size=4).map(
    lambda text: text.replace("*", "+")
)


def basic(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def test_a_token_is_sent_to_its_own_host_alone():
    tokens = {"github.com": "one", "git.example.org:8443": "two"}
    known = Credentials(tokens=tokens)

    assert known.authorization("github.com", 443) == f"Basic {basic('x-access-token', 'one')}"
    assert known.authorization("git.example.org", 8443) == (
        f"Basic {basic('x-access-token', 'two')}"
    )
    for host, port in [
        ("github.com", 8443),
        ("git.example.org", 443),
        ("github.com.evil.example", 443),
        ("www.github.com", 443),
        ("", 443),
    ]:
        assert known.authorization(host, port) is None


def test_tokens_are_read_from_the_environment():
    tokens = {" Git.Example.org ": "one", "gitlab.com:443": "two", "git:8443": "three"}
    known = credentials.from_environment(
        {"GITHUB_TOKEN": " four\n", "REPOMILL_TOKENS": json.dumps(tokens)}
    )

    assert known.tokens == {
        "git.example.org": "one",
        "gitlab.com": "two",
        "git:8443": "three",
        "github.com": "four",
    }


def test_what_names_a_host_counts_before_what_does_not():
    environ = {"GITHUB_TOKEN": "general", "REPOMILL_TOKENS": '{"github.com": "special"}'}

    assert credentials.from_environment(environ).tokens == {"github.com": "special"}


@pytest.mark.parametrize("environ", [{}, {"GITHUB_TOKEN": " ", "REPOMILL_TOKENS": "\n"}])
def test_no_token_is_needed(environ):
    assert credentials.from_environment(environ).tokens == {}


@pytest.mark.parametrize(
    "environ",
    [
        {"REPOMILL_TOKENS": "s3cret"},
        {"REPOMILL_TOKENS": '["s3cret"]'},
        {"REPOMILL_TOKENS": '{"github.com": 1, "gitlab.com": "s3cret"}'},
        {"REPOMILL_TOKENS": '{"github.com": "s3cret s3cret"}'},
        {"REPOMILL_TOKENS": '{"github.com": ""}'},
        {"REPOMILL_TOKENS": '{"github.com": "s3cret\\n"}'},
        {"GITHUB_TOKEN": "s3crét"},
    ],
)
def test_what_is_no_token_is_told_without_it(environ):
    with pytest.raises(UsageError) as refusal:
        credentials.from_environment(environ)

    assert str(refusal.value).startswith(tuple(environ))
    assert "s3c" not in str(refusal.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@settings(deadline=None)
@given(st.text() | JSON.map(json.dumps))
def test_no_text_does_worse(text):
    with suppress(UsageError):
        credentials.from_environment({"REPOMILL_TOKENS": text})


@settings(deadline=None)
@given(SECRETS, st.text(max_size=5), st.booleans())
def test_a_secret_is_masked_in_every_encoding(secret, around, is_token):
    known = Credentials(tokens={"host": secret}) if is_token else Credentials({}, (secret,))
    for spelling in (
        secret,
        quote(secret, safe=""),
        base64.b64encode(secret.encode()).decode(),
        base64.urlsafe_b64encode(secret.encode()).decode(),
        basic("x-access-token", secret),
    ):
        shown = known.redact(f"{around}{spelling}{around}")

        assert "***" in shown
        assert spelling not in shown.removeprefix(around).removesuffix(around)


def test_of_two_secrets_the_longer_one_goes_first():
    known = Credentials(tokens={"one": "abcd", "other": "abcdefgh"})

    assert known.redact("abcd abcdefgh") == "*** ***"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("fatal: 'https://me:s3cret@host/o/n'", "fatal: 'https://***@host/o/n'"),
        ("http://proxy:s3cret@10.0.0.1:3128/", "http://***@10.0.0.1:3128/"),
        ("> authorization: Basic bWU6cw==", "> authorization: ***"),
        ("Proxy-Authorization:Bearer abc.def", "Proxy-Authorization:***"),
        (f"ghp_{'a' * 36}, gho_{'b' * 36}", "***, ***"),
        (f"github_pat_{'1A_' * 10}", "***"),
        (f"token=glpat-{'a-B' * 8}.", "token=***."),
        ("mail me@example.org, no secret", "mail me@example.org, no secret"),
        ("https://host/o/n@v1", "https://***@v1"),
    ],
)
def test_what_looks_like_a_credential_is_masked_unknown(text, shown):
    assert Credentials().redact(text) == shown


def test_a_short_secret_does_not_mask_half_a_text():
    assert Credentials(tokens={"host": "the"}).redact("the text") == "the text"


@pytest.mark.parametrize("name", ["https_proxy", "HTTP_PROXY", "all_proxy"])
@pytest.mark.parametrize("scheme", ["http://", ""])
def test_the_password_of_a_proxy_is_a_secret(name, scheme):
    known = credentials.from_environment({name: f"{scheme}me:s3cret@proxy:3128"})

    assert known.redact("the proxy wants s3cret") == "the proxy wants ***"


def test_a_proxy_needs_no_password():
    environ = {"https_proxy": "http://proxy:3128", "no_proxy": "x:y@z", "all_proxy": "me@proxy"}

    assert credentials.from_environment(environ).other_secrets == ()


def test_credentials_do_not_show_themselves():
    known = Credentials(tokens={"github.com": "s3cret"}, other_secrets=("s3cret too",))

    assert "s3cret" not in repr(known)
