"""What git's stderr means: one table from its words to our classes of error."""

from __future__ import annotations

import re
from dataclasses import dataclass

from repomill.errors import (
    AuthError,
    BlockedError,
    CorruptError,
    NetworkError,
    NotFoundError,
    OutOfMemoryError,
    RateLimitedError,
    RepoError,
    TooLargeError,
    UnsupportedError,
)

_MAX_QUOTED_CHARACTERS = 300
_MAX_READ_CHARACTERS = 1000
_NO_NEWS = re.compile(r"\s*$|Cloning into ")
_URL = re.compile(r"https?://[^\s']*")


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: re.Pattern[str]
    error: type[RepoError]
    advice: str


def _rule(pattern: str, error: type[RepoError], advice: str) -> _Rule:
    return _Rule(re.compile(pattern, re.IGNORECASE), error, advice)


_MISSING = _rule(
    r"error: 404|error: 410|repository .*not found|does not exist|could not be found",
    NotFoundError,
    "there is no such repository, or it is private; check the URL, or give a token",
)
_AUTHENTICATION = _rule(
    r"error: 401|authentication failed|could not read (username|password)",
    AuthError,
    "the host wants a token; set REPOMILL_TOKENS, or check the one that is set",
)

# The first that matches counts. Words of git 2.30 to 2.50, libcurl (OpenSSL and GnuTLS) and GitHub.
_RULES = (
    _rule(
        r"error: 407|tunnel failed, response 407",
        AuthError,
        "the proxy wants credentials; put them into https_proxy",
    ),
    _rule(
        r"is a (blob|tree|tag), not a commit|not a commit|expected commit",
        NotFoundError,
        "what follows /tree/ is no commit; name a branch, a tag of a commit, or its full SHA",
    ),
    _rule(
        r"no space left|file too large|disk quota|file size limit|died of signal 25",
        TooLargeError,
        "the scratch folder has no room for it; point TMPDIR to a larger one",
    ),
    _rule(
        r"out of memory|cannot allocate|unable to create thread",
        OutOfMemoryError,
        "git needs more memory than a worker may take; raise --memory",
    ),
    _rule(
        r"remote branch .* not found|couldn't find remote ref|not our ref|unadvertised object",
        NotFoundError,
        "the repository has no such branch, tag or commit; check what follows /tree/",
    ),
    _rule(
        r"temporarily limiting|rate.?limit|too many requests|error: 429",
        RateLimitedError,
        "the host asks for fewer requests; try later, or with a token",
    ),
    _rule(
        r"dmca takedown|legal reasons|error: 451|repository has been disabled",
        BlockedError,
        "the host has closed this repository",
    ),
    _MISSING,
    _AUTHENTICATION,
    _rule(
        r"error: 403|access denied|forbidden",
        AuthError,
        "the host refuses access; check that the token may read this repository",
    ),
    _rule(
        r"mismatched algorithms|unknown repository extension|object.?format|hash algorithm",
        UnsupportedError,
        "the repository uses SHA-256 objects, which cannot be read yet",
    ),
    _rule(
        r"dumb http transport",
        UnsupportedError,
        "the host serves plain files, not the git protocol; it cannot be fetched in part",
    ),
    _rule(
        r"corruption on the remote side",
        CorruptError,
        "the repository is damaged on the host; its owner has to run git fsck there",
    ),
    _rule(
        r"early eof|rpc failed|hung up|connection (reset|timed out|refused|was aborted)"
        r"|couldn't connect|failed to connect|could ?n[o']t resolve|operation (too slow|timed out)"
        r"|transfer closed|empty reply|recv failure|send failure|error: 5\d\d|http/?2 stream"
        r"|unexpected disconnect|disconnected|non-properly terminated",
        NetworkError,
        "the connection broke or stalled; try again later",
    ),
    _rule(
        r"certificate|ssl connection|tls|gnutls_handshake|ssl_",
        NetworkError,
        "no trusted connection; check the host's certificate, or name yours in GIT_SSL_CAINFO",
    ),
    _rule(
        r"fsck|bad object|index-pack|inflate|pack (has|signature|is corrupted)|checksum"
        r"|sha1 mismatch|hash mismatch|unresolved delta|bad pack|did not send all necessary",
        CorruptError,
        "what the server sent is damaged; run git fsck on the repository at its origin",
    ),
    _rule(
        r"not valid: is this a git repository|invalid server response|protocol error"
        r"|bad line length|expected (flush|service)|unknown (capability|object)"
        r"|unexpected|invalid (packet|ref)",
        CorruptError,
        "the address does not answer as a git server; check the URL in a browser",
    ),
)


def classify(stderr: str, *, host: str, public_host: bool) -> RepoError:
    """Return the error that *stderr*, already redacted, speaks of; it was said of *host*.

    On a *public_host* an anonymous request for a missing repository is answered like one for a
    private one, with 401: there, without a token, that is not_found.
    """
    lines = [_plain(line, host) for line in stderr.splitlines() if not _NO_NEWS.match(line)]
    for rule in _RULES:
        for line in lines:
            if rule.pattern.search(line):
                if rule is _AUTHENTICATION and public_host:
                    rule = _MISSING  # noqa: PLW2901
                return rule.error(f"{rule.advice} ({_printable(line)})")
    return NetworkError(f"git failed ({_printable(lines[-1] if lines else 'it said nothing')})")


def _plain(line: str, host: str) -> str:
    """Return *line* bounded and without names, which can hold any of the words above."""
    return _URL.sub("URL", line.strip()[:_MAX_READ_CHARACTERS]).replace(host, "HOST")


def _printable(line: str) -> str:
    line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)
    return line[:_MAX_QUOTED_CHARACTERS]
