"""What a user calls a repository, read into a :class:`~repomill.model.Repo`.

Forms: ``https://HOST[:PORT]/OWNER[/SUBGROUP…]/NAME``, with or without ``.git``, a trailing slash or
``/tree/REF`` (``/-/tree/REF`` on GitLab), and ``OWNER/NAME`` for GitHub.
"""

from __future__ import annotations

import re
from typing import TypeGuard
from urllib.parse import urlsplit

from repomill.errors import BadUrlError
from repomill.model import Repo

GITHUB = "github.com"
HTTPS_PORT = 443
_MAX_URL_CHARACTERS = 2048
_MAX_SHOWN_CHARACTERS = 200

# What GitHub, GitLab, Gitea and Bitbucket allow in the names of owners and repositories.
_SEGMENT = re.compile(r"[A-Za-z0-9._~+@-]{1,255}")
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?")
_IPV6 = re.compile(r"[0-9a-f:.]+")
# What nearly every entry of a feed looks like: nothing is left to be checked or changed but .git.
_PLAIN = re.compile(
    r"https://([a-z0-9]+(?:[.-][a-z0-9]+)*)"
    r"/([A-Za-z0-9][A-Za-z0-9._-]{0,99})/([A-Za-z0-9][A-Za-z0-9._-]{0,99})"
)
_SHORTHAND = re.compile(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+")
# git-fetch(1), "GIT URLS": with a scheme, or host and path with a colon between them
_REMOTE = re.compile(
    r"((https?|ssh|git)://([^/]*@)?(?P<host>[^/@]+)/(?P<path>.+))"
    r"|(([^/]*@)?(?P<scp_host>[^/@:]+):(?P<scp_path>[^/].*))"
)
_SCHEME = re.compile(r"\w+://")
_SHA = re.compile(r"[0-9a-f]{40}")
# https://git-scm.com/docs/git-check-ref-format
_BAD_IN_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|$)|^[-./]|[./]$|^@$")
_NOT_PRINTABLE_ASCII = re.compile(r"[^\x21-\x7e]")


def parse(
    text: str,
    *,
    pushed_at: str | None = None,
    description: str | None = None,
    license: str | None = None,  # noqa: A002 the name that Repo has for it
) -> Repo:
    """Read *text* as the URL of a repository, or as ``OWNER/NAME`` on GitHub.

    What else is said of the repository goes into the Repo as it is. Raises BadUrlError, whose
    message says what to change and never repeats credentials.

    >>> parse("https://gitlab.com/group/sub/digit.git/").full_name
    'group/sub/digit'
    >>> parse("alphagov/whitehall").url
    'https://github.com/alphagov/whitehall'
    >>> parse("https://github.com/o/n/tree/feature/x").ref
    'feature/x'
    """
    text = text.strip()
    plain = _PLAIN.fullmatch(text)
    if plain and len(text) <= _MAX_URL_CHARACTERS:
        host, owner, name = plain.groups()
        name = name.removesuffix(".git")
        port, ref, clone_url = HTTPS_PORT, None, text
    else:
        host, port, owner, name, ref, clone_url = _dissect(text)
    return Repo(
        host=host,
        port=port,
        owner=owner,
        name=name,
        ref=ref,
        clone_url=clone_url,
        pushed_at=pushed_at,
        description=description,
        license=license,
    )


def parse_origin(text: str) -> Repo | None:
    """Read a remote's URL in any of git's forms (``git@HOST:OWNER/NAME``); None if it is none.

    >>> parse_origin("git@github.com:alphagov/whitehall.git").full_name
    'alphagov/whitehall'
    """
    found = _REMOTE.fullmatch(text.strip())
    if not found:
        return None
    try:
        return parse(
            f"https://{found['host'] or found['scp_host']}/{found['path'] or found['scp_path']}"
        )
    except BadUrlError:
        return None


def is_shorthand(text: str) -> bool:
    """Whether *text* has the form ``OWNER/NAME``."""
    return bool(_SHORTHAND.fullmatch(text))


def is_sha(ref: str | None) -> TypeGuard[str]:
    """Whether *ref* is a full SHA-1 of a commit."""
    return ref is not None and bool(_SHA.fullmatch(ref))


def authority(host: str, port: int) -> str:
    """Return how *host* and *port* stand in a URL.

    >>> authority("::1", 8443), authority("example.org", 443)
    ('[::1]:8443', 'example.org')
    """
    host = f"[{host}]" if ":" in host else host
    return host if port == HTTPS_PORT else f"{host}:{port}"


def shown(text: str) -> str:
    """Return *text* fit for a message: one line, bounded, without what may be a credential.

    >>> shown("https://me:secret@example.com/o/n")
    'https://***@example.com/o/n'
    """
    scheme = _SCHEME.match(text)
    if "@" in text and ("?" in text or "#" in text):  # either may hold it
        return f"{scheme[0] if scheme else ''}***"
    text = re.sub(r"^(\w+://)?.*@", r"\1***@", text, flags=re.DOTALL)
    text = re.sub(r"([?#]).*", r"\1***", text, flags=re.DOTALL)
    text = text[: _MAX_SHOWN_CHARACTERS + 1]
    text = "".join(c if c.isprintable() else "�" for c in text)
    if len(text) > _MAX_SHOWN_CHARACTERS:
        return text[:_MAX_SHOWN_CHARACTERS] + "…"
    return text


def _dissect(text: str) -> tuple[str, int, str, str, str | None, str]:
    """Return host, port, owner, name, ref and the URL to clone from."""
    if is_shorthand(text):
        text = f"https://{GITHUB}/{text}"
    host, port, path = _split(text)
    segments, ref = _split_ref(path, text)
    *owner, name = _check_segments(segments, host, text)
    clone_url = f"https://{authority(host, port)}/{'/'.join(segments)}"
    return host, port, "/".join(owner), _strip_suffix(name, text), ref, clone_url


def _split(text: str) -> tuple[str, int, str]:
    """Return host, port and path of an https URL."""
    if len(text) > _MAX_URL_CHARACTERS:
        raise _bad(text, f"longer than {_MAX_URL_CHARACTERS} characters")
    scheme, separator, rest = text.partition("://")
    if not separator:
        raise _bad(text, "use https://HOST/OWNER/NAME, or OWNER/NAME for GitHub")
    if scheme.lower() != "https":
        raise _bad(text, "only https:// is fetched; write the https:// URL of the repository")
    if "@" in re.split(r"[/?#\\]", rest)[0]:
        raise _bad(
            text, "credentials do not belong in a URL; take them out and use REPOMILL_TOKENS"
        )
    if found := _NOT_PRINTABLE_ASCII.search(text):
        raise _bad(text, f"the character {found[0]!a} cannot be in it")
    if any(c in rest for c in "?#%\\"):
        raise _bad(text, "take out the query, fragment, backslash or percent sign")
    host, port = _host_and_port(text)
    return host, port, rest.partition("/")[2]


def _host_and_port(text: str) -> tuple[str, int]:
    try:
        parts = urlsplit(text)
        port = HTTPS_PORT if parts.port is None else parts.port
    except ValueError:
        raise _bad(
            text, "its host or port cannot be read; write https://HOST[:PORT]/OWNER/NAME"
        ) from None
    host = parts.hostname or ""
    well_formed = _IPV6.fullmatch(host) if ":" in host else _HOST.fullmatch(host)
    if not well_formed or port == 0:
        raise _bad(text, "its host or port cannot be read; write https://HOST[:PORT]/OWNER/NAME")
    return host.removesuffix("."), port


def _split_ref(path: str, text: str) -> tuple[list[str], str | None]:
    """Return the segments that name the repository, and the ref behind ``/tree/``."""
    before, gitlab, after = path.partition("/-/")
    segments = before.strip("/").split("/")
    if gitlab:
        kind, _, ref = after.partition("/")
        if kind != "tree":
            raise _bad(text, "of GitLab's /-/ pages only /-/tree/REF names a repository")
        return segments, _check_ref(ref, text)
    if "tree" in segments[2:]:  # GitLab and GitHub reserve the name: no repository has it
        at = segments.index("tree", 2)
        return segments[:at], _check_ref("/".join(segments[at + 1 :]), text)
    return segments, None


def _check_ref(ref: str, text: str) -> str:
    ref = ref.strip("/")
    if not ref or _BAD_IN_REF.search(ref):
        raise _bad(text, "what follows /tree/ is no branch, tag or full commit SHA")
    return ref.lower() if is_sha(ref.lower()) else ref


def _check_segments(segments: list[str], host: str, text: str) -> list[str]:
    if len(segments) < 2:  # noqa: PLR2004 an owner and a name
        raise _bad(text, "owner and name are missing; write https://HOST/OWNER/NAME")
    if host == GITHUB and len(segments) > 2:  # noqa: PLR2004
        raise _bad(text, "on GitHub only https://github.com/OWNER/NAME[/tree/REF] is a repository")
    for segment in segments:
        if segment in {"", ".", ".."} or not _SEGMENT.fullmatch(segment):
            said = "owner and name hold letters, digits and . _ ~ + @ - only"
            # A segment with an @ may be a credential.
            raise _bad(text, said if "@" in text else f"{segment!r} cannot be part of it; {said}")
    return segments


def _strip_suffix(name: str, text: str) -> str:
    """Remove one ``.git``, as a suffix."""
    bare = name.removesuffix(".git")
    if bare in {"", ".", ".."}:
        raise _bad(text, f"{name!r} is no name of a repository")
    return bare


def _bad(text: str, advice: str) -> BadUrlError:
    return BadUrlError(f"{shown(text)!r} is no repository's URL: {advice}")
