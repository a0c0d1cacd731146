"""What git says, and what it means."""

import pytest

from repomill.errors import (
    AuthError,
    BlockedError,
    CorruptError,
    NetworkError,
    NotFoundError,
    RateLimitedError,
    RepoError,
    TooLargeError,
    UnsupportedError,
)
from repomill.git.failures import classify

REFUSED = "fatal: unable to access 'https://host/owner/name/': The requested URL returned error: "
NO_ACCESS = "fatal: unable to access 'https://host/owner/name/': "
NO_PACK = "fatal: fetch-pack: invalid index-pack output"
FIRST_LINE = "Cloning into bare repository '/scratch/repo.git'...\n"

# What git 2.39 and the hosts print.
SAID: dict[type[RepoError], list[str]] = {
    NotFoundError: [
        "remote: Repository not found.\nfatal: repository 'https://host/o/n/' not found",
        "remote: Not Found\nfatal: repository 'https://host/o/n.git/' not found",
        "remote: The project you were looking for could not be found or you don't have permission",
        REFUSED + "404",
        REFUSED + "410",
        (
            "warning: Could not find remote branch x to clone.\n"
            "fatal: Remote branch x not found in upstream origin"
        ),
        "fatal: couldn't find remote ref x",
        f"fatal: remote error: upload-pack: not our ref {'1' * 40}",
        f"error: Server does not allow request for unadvertised object {'1' * 40}",
    ],
    AuthError: [
        REFUSED + "401",
        REFUSED + "403",
        REFUSED + "407",
        "fatal: Authentication failed for 'https://host/owner/name/'",
        "fatal: could not read Username for 'https://host': terminal prompts disabled",
        "fatal: could not read Password for 'https://me@host': terminal prompts disabled",
        "remote: HTTP Basic: Access denied",
    ],
    BlockedError: [
        f"remote: Repository unavailable due to DMCA takedown.\n{REFUSED}451",
        f"remote: Access to this repository has been disabled by GitHub staff.\n{REFUSED}403",
        REFUSED + "451",
    ],
    RateLimitedError: [
        REFUSED + "429",
        (
            "remote: GitHub is temporarily limiting some unauthenticated downloads.\n"
            "fatal: the remote end hung up unexpectedly"
        ),
        f"remote: You have exceeded a secondary rate limit.\n{REFUSED}403",
        "error: RPC failed; HTTP 429 curl 22 The requested URL returned error: 429",
    ],
    NetworkError: [
        NO_ACCESS + "Could not resolve host: host",
        NO_ACCESS + "Failed to connect to host port 443 after 3 ms: Couldn't connect to server",
        NO_ACCESS + "Operation too slow. Less than 1 bytes/sec transferred the last 30 seconds",
        NO_ACCESS + "OpenSSL SSL_read: Connection reset by peer, errno 104",
        NO_ACCESS + "GnuTLS recv error (-110): The TLS connection was non-properly terminated.",
        NO_ACCESS + "Empty reply from server",
        NO_ACCESS + "HTTP/2 stream 1 was not closed cleanly before end of the underlying stream",
        REFUSED + "503",
        (
            "error: RPC failed; curl 18 transfer closed with outstanding read data remaining\n"
            "fetch-pack: unexpected disconnect while reading sideband packet\n"
            f"fatal: early EOF\n{NO_PACK}"
        ),
        "fatal: the remote end hung up upon initial contact",
        NO_ACCESS + "SSL certificate problem: self-signed certificate",
        NO_ACCESS + "server certificate verification failed. CAfile: none CRLfile: none",
        NO_ACCESS + "gnutls_handshake() failed: Error in the pull function.",
        REFUSED + "400",
        "fatal: something new",
    ],
    CorruptError: [
        f"fatal: pack has bad object at offset 64: inflate returned -3\n{NO_PACK}",
        (
            "error: object 1: treeNotSorted: not properly sorted\n"
            f"fatal: fsck error in packed object\n{NO_PACK}"
        ),
        "error: remote did not send all necessary objects",
        (
            "remote: aborting due to possible repository corruption on the remote side.\n"
            f"fatal: early EOF\n{NO_PACK}"
        ),
        "fatal: protocol error: bad line length character: <htm",
        "fatal: https://host/owner/name/info/refs not valid: is this a git repository?",
        "fatal: invalid server response; got 'x'",
    ],
    UnsupportedError: [
        "fatal: mismatched algorithms: client sha1; server sha256",
        "fatal: unknown object format 'sha256' specified by server",
        "fatal: dumb http transport does not support shallow capabilities",
    ],
    TooLargeError: [
        "fatal: cannot create directory at 'objects': No space left on device",
        "fatal: cannot create directory at 'objects': Disk quota exceeded",
    ],
}
EACH = [(said, error) for error, texts in SAID.items() for said in texts]


@pytest.mark.parametrize(("said", "expected"), EACH, ids=map(str, range(len(EACH))))
def test_what_git_says_has_one_meaning(said, expected):
    error = classify(f"{FIRST_LINE}{said}\n", host="git.example", public_host=False)

    assert type(error) is expected


@pytest.mark.parametrize(
    "said",
    [
        REFUSED + "401",
        "fatal: Authentication failed for 'https://github.com/owner/name/'",
        "fatal: could not read Username for 'https://github.com': terminal prompts disabled",
    ],
)
def test_github_says_401_for_what_is_not_there(said):
    error = classify(said, host="git.example", public_host=True)

    assert type(error) is NotFoundError
    assert "or it is private; check the URL, or give a token" in str(error)


@pytest.mark.parametrize("said", [REFUSED + "403", "remote: HTTP Basic: Access denied"])
def test_other_refusals_are_no_riddle(said):
    assert type(classify(said, host="git.example", public_host=True)) is AuthError


MISLEADING = [
    *(
        "legal-reasons",
        "dmca-takedown",
        "rate-limit",
        "forbidden",
        "error:-404",
        "too-many-requests",
    ),
    *("authentication-failed", "early-eof", "fsck", "tls", "object-format", "out-of-memory"),
]


@pytest.mark.parametrize("word", MISLEADING)
def test_a_branch_can_have_any_name(word):
    said = (
        f"warning: Could not find remote branch fix/{word} to clone.\n"
        f"fatal: Remote branch fix/{word} not found in upstream origin"
    )

    error = classify(said, host="git.example", public_host=False)

    assert type(error) is NotFoundError
    assert "the repository has no such branch, tag or commit" in str(error)


@pytest.mark.parametrize("word", MISLEADING)
@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            "fatal: unable to access 'https://{0}.example/{0}/{0}.git/': Connection refused",
            NetworkError,
        ),
        ("fatal: repository 'https://host/{0}/{0}/' not found", NotFoundError),
        ("fatal: Authentication failed for 'https://host/{0}/{0}/'", AuthError),
        (
            "fatal: https://host/{0}/{0}/info/refs not valid: is this a git repository?",
            CorruptError,
        ),
    ],
)
def test_a_repository_can_have_any_name(word, said, expected):
    assert type(classify(said.format(word), host="git.example", public_host=False)) is expected


def test_the_line_that_tells_is_quoted_without_the_url():
    error = classify(
        f"{FIRST_LINE}{REFUSED}404\nfatal: more\n", host="git.example", public_host=False
    )

    assert str(error) == (
        "there is no such repository, or it is private; check the URL, or give a token "
        "(fatal: unable to access 'URL': The requested URL returned error: 404)"
    )


def test_of_the_unknown_the_last_line_is_quoted():
    error = classify("fatal: one\n\n  fatal: two  \n\n", host="git.example", public_host=False)

    assert str(error) == "git failed (fatal: two)"


@pytest.mark.parametrize("said", ["", "\n \n"])
def test_silence_is_told_as_such(said):
    assert (
        str(classify(said, host="git.example", public_host=False)) == "git failed (it said nothing)"
    )


def test_what_a_server_prints_cannot_reach_a_terminal():
    error = classify(
        "remote: \x1b[2J\u202egnp" + "x" * 1_000, host="git.example", public_host=False
    )

    assert str(error).isprintable()
    assert len(str(error)) < 400
