"""What users call a repository, well-meant and hostile."""

from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from repomill import urls
from repomill.errors import BadUrlError

SHA = "0123456789abcdef0123456789abcdef01234567"

READ = {
    # what is given: authority, owner and name, ref
    "owner/name": ("github.com", "owner/name", None),
    "  owner/name\n": ("github.com", "owner/name", None),
    "Owner/Na.me_-": ("github.com", "Owner/Na.me_-", None),
    "https://github.com/owner/name": ("github.com", "owner/name", None),
    "HTTPS://GitHub.COM/Owner/Name": ("github.com", "Owner/Name", None),
    "https://github.com/owner/name/": ("github.com", "owner/name", None),
    "https://github.com/owner/name.git": ("github.com", "owner/name", None),
    "https://github.com/owner/name.git/": ("github.com", "owner/name", None),
    "https://github.com/owner/name.git.git": ("github.com", "owner/name.git", None),
    "https://github.com./owner/name": ("github.com", "owner/name", None),
    "https://github.com:443/owner/name": ("github.com", "owner/name", None),
    "https://git.example.org:8443/owner/name": ("git.example.org:8443", "owner/name", None),
    "https://git_host/~owner/name": ("git_host", "~owner/name", None),
    "https://[2001:DB8::1]/owner/name": ("[2001:db8::1]", "owner/name", None),
    "https://[::1]:8443/owner/name": ("[::1]:8443", "owner/name", None),
    "https://gitlab.com/group/sub/deep/name": ("gitlab.com", "group/sub/deep/name", None),
    "https://github.com/owner/name/tree/main": ("github.com", "owner/name", "main"),
    "https://github.com/owner/name.git/tree/v1": ("github.com", "owner/name", "v1"),
    "https://github.com/owner/name/tree/feature/x/": ("github.com", "owner/name", "feature/x"),
    "https://github.com/owner/name/tree/tree/x": ("github.com", "owner/name", "tree/x"),
    f"https://github.com/owner/name/tree/{SHA}": ("github.com", "owner/name", SHA),
    "https://gitlab.com/group/sub/name/-/tree/a/b": ("gitlab.com", "group/sub/name", "a/b"),
    "https://git.example.org/owner/tree": ("git.example.org", "owner/tree", None),
    "https://git.example.org/tree/tree/tree/x": ("git.example.org", "tree/tree", "x"),
}


@pytest.mark.parametrize("text", READ)
def test_a_repository_is_read(text):
    repo = urls.parse(text)

    assert (repo.authority, repo.full_name, repo.ref) == READ[text]
    assert repo.key == repo.full_name


def test_git_is_given_the_spelling_of_the_user():
    assert urls.parse("https://Git.example.org/Owner/Name.git/tree/x").clone_url == (
        "https://git.example.org/Owner/Name.git"
    )


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("", "use https://HOST/OWNER/NAME, or OWNER/NAME for GitHub"),
        ("name", "use https://HOST/OWNER/NAME, or OWNER/NAME for GitHub"),
        ("git@github.com:owner/name", "use https://HOST/OWNER/NAME, or OWNER/NAME for GitHub"),
        ("ssh://github.com/owner/name", "only https:// is fetched"),
        ("http://github.com/owner/name", "only https:// is fetched"),
        ("https://me@github.com/owner/name", "credentials do not belong in a URL"),
        ("https://github.com/owner/na me", "the character ' ' cannot be in it"),
        ("https://github.com/owner/näme", r"the character '\xe4' cannot be in it"),
        ("https://github.com/owner/name?tab=readme", "take out the query, fragment"),
        ("https://github.com/owner/name#readme", "take out the query, fragment"),
        ("https://github.com/owner/na%6de", "take out the query, fragment"),
        (r"https://github.com\@evil.example/owner/name", "take out the query, fragment"),
        ("https:///owner/name", "its host or port cannot be read"),
        ("https://-host/owner/name", "its host or port cannot be read"),
        ("https://host../owner/name", "its host or port cannot be read"),
        ("https://host:0/owner/name", "its host or port cannot be read"),
        ("https://host:65536/owner/name", "its host or port cannot be read"),
        ("https://[::1/owner/name", "its host or port cannot be read"),
        ("https://[v1.x:y]/owner/name", "its host or port cannot be read"),
        ("https://github.com/owner", "owner and name are missing"),
        ("https://github.com/owner/name/blob/main/x", "on GitHub only"),
        ("https://git.example.org/owner//name", "'' cannot be part"),
        ("https://git.example.org/owner/../name", "'..' cannot be part"),
        ("https://git.example.org/owner/na:me", "'na:me' cannot be part"),
        ("https://git.example.org/owner/.git", "'.git' is no name of a repository"),
        ("https://git.example.org/owner/...git", "'...git' is no name of a repository"),
        ("https://gitlab.com/owner/name/-/issues", "only /-/tree/REF names a repository"),
        ("https://github.com/owner/name/tree/", "no branch, tag or full commit SHA"),
        ("https://github.com/owner/name/tree/-x", "no branch, tag or full commit SHA"),
        ("https://github.com/owner/name/tree/a..b", "no branch, tag or full commit SHA"),
        ("https://github.com/owner/name/tree/a//b", "no branch, tag or full commit SHA"),
        ("https://github.com/owner/name/tree/a.lock", "no branch, tag or full commit SHA"),
        ("https://github.com/owner/name/tree/a:b", "no branch, tag or full commit SHA"),
        ("https://github.com/owner/name/tree/@", "no branch, tag or full commit SHA"),
        ("https://github.com/" + "o" * 2048, "longer than 2048 characters"),
    ],
)
def test_what_is_none_is_told_what_to_change(text, advice):
    with pytest.raises(BadUrlError) as refusal:
        urls.parse(text)

    assert advice in str(refusal.value)
    assert len(str(refusal.value)) < 500
    assert str(refusal.value).isprintable()


@settings(deadline=None)
@given(st.text() | st.text(st.characters(codec="ascii")).map("https://{}".format))
@example("https://[fe80::1%25eth0]/owner/name")
@example("https://\ud800/owner/name")
@example("https://host:\u0661/owner/name")
def test_no_text_does_worse(text):
    with suppress(BadUrlError):
        urls.parse(text)


HOSTS = ["github.com", "gitlab.com:8443", "localhost", "192.0.2.1", "[2001:db8::1]", "a-b.c_d"]
SEGMENTS = st.from_regex(r"[A-Za-z0-9._~+@-]{1,12}(\.git)?", fullmatch=True)
PATHS = st.lists(SEGMENTS, min_size=2, max_size=5).map("/".join)


@settings(deadline=None)
@given(st.sampled_from(HOSTS), PATHS, st.sampled_from(["", "/", ".git", "/tree/main"]))
def test_the_url_of_a_repository_names_it_again(host, path, suffix):
    with suppress(BadUrlError):
        repo = urls.parse(f"https://{host}/{path}{suffix}")
        again = urls.parse(repo.url)

        assert again.authority == repo.authority == host
        assert (again.full_name, again.url) == (repo.full_name, repo.url)


def secrets(*, without: str) -> st.SearchStrategy[str]:
    """Texts that no message may repeat a part of."""
    characters = st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters=without)
    return st.text(characters).map("s3cret{}s3cret".format)


@settings(deadline=None)
@given(
    st.sampled_from(["https://", "HTTP://", "ssh://", "", "//"]),
    st.sampled_from(["{}@host/o/n", "me:{}@host/o/n", "{}:@host:o/n"]),
    secrets(without="/"),
)
def test_no_message_repeats_a_password(scheme, rest, password):
    with pytest.raises(BadUrlError) as refusal:
        urls.parse(scheme + rest.format(password))

    assert "s3cret" not in str(refusal.value)


@settings(deadline=None)
@given(st.sampled_from(["host/o/n?{}", "host/o/n?a=b&{}#", "host#{}"]), secrets(without="@"))
def test_no_message_repeats_a_query_or_a_fragment(rest, token):
    with pytest.raises(BadUrlError) as refusal:
        urls.parse("https://" + rest.format(token))

    assert "s3cret" not in str(refusal.value)


def test_a_text_is_shown_on_one_bounded_line():
    assert urls.shown("https://me:s3cret@host/o\n/n\u202e") == "https://***@host/o�/n�"
    assert urls.shown("https://host/o/n?token=s3cret") == "https://host/o/n?***"
    assert urls.shown("https://host/o/n?token=s@s3cret") == "https://***"
    assert urls.shown("x" * 201) == "x" * 200 + "…"
    assert urls.shown("x" * 200) == "x" * 200


@pytest.mark.parametrize("ref", [None, "main", SHA[:-1], SHA + "0", SHA.upper(), "g" * 40])
def test_only_a_full_sha_names_a_commit(ref):
    assert urls.is_sha(SHA)
    assert not urls.is_sha(ref)


def test_the_same_repository_can_be_wanted_at_another_ref():
    repo = urls.parse("https://github.com/owner/name/tree/main")

    assert repo.with_ref(SHA).ref == SHA
    assert repo.with_ref(None) == urls.parse("owner/name")
