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
_SHORTHAND = re.compile(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+")
_SHA = re.compile(r"[0-9a-f]{40}")
# https://git-scm.com/docs/git-check-ref-format
_BAD_IN_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|$)|^[-./]|[./]$|^@$")
_NOT_PRINTABLE_ASCII = re.compile(r"[^\x21-\x7e]")


def parse(text: str) -> Repo:
    """Read *text* as the URL of a repository, or as ``OWNER/NAME`` on GitHub.

    Raises BadUrlError, whose message says what to change and never repeats credentials.

    >>> parse("https://gitlab.com/group/sub/digit.git/").full_name
    'group/sub/digit'
    >>> parse("alphagov/whitehall").url
    'https://github.com/alphagov/whitehall'
    >>> parse("https://github.com/o/n/tree/feature/x").ref
    'feature/x'
    """
    text = text.strip()
    if is_shorthand(text):
        text = f"https://{GITHUB}/{text}"
    host, port, path = _split(text)
    segments, ref = _split_ref(path, text)
    *owner, name = _check_segments(segments, host, text)
    clone_url = f"https://{_authority(host, port)}/{'/'.join(segments)}"
    return Repo(
        host=host,
        port=port,
        owner="/".join(owner),
        name=_strip_suffix(name, text),
        ref=ref,
        clone_url=clone_url,
    )


def is_shorthand(text: str) -> bool:
    """Whether *text* has the form ``OWNER/NAME``."""
    return bool(_SHORTHAND.fullmatch(text))


def is_sha(ref: str | None) -> TypeGuard[str]:
    """Whether *ref* is a full SHA-1 of a commit."""
    return ref is not None and bool(_SHA.fullmatch(ref))


def shown(text: str) -> str:
    """Return *text* fit for a message: one line, bounded, without what may be a credential.

    >>> shown("https://me:secret@example.com/o/n?token=secret")
    'https://***@example.com/o/n?***'
    """
    text = re.sub(r"^(\w+://)?.*@", r"\1***@", text, flags=re.DOTALL)
    text = re.sub(r"([?#]).*", r"\1***", text, flags=re.DOTALL)
    text = "".join(c if c.isprintable() else "�" for c in text[: _MAX_SHOWN_CHARACTERS + 1])
    if len(text) > _MAX_SHOWN_CHARACTERS:
        return text[:_MAX_SHOWN_CHARACTERS] + "…"
    return text


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
    except ValueError as error:
        raise _bad(text, f"its host or port cannot be read ({error})") from None
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
    return ref


def _check_segments(segments: list[str], host: str, text: str) -> list[str]:
    if len(segments) < 2:  # noqa: PLR2004 an owner and a name
        raise _bad(text, "owner and name are missing; write https://HOST/OWNER/NAME")
    if host == GITHUB and len(segments) > 2:  # noqa: PLR2004
        raise _bad(text, "on GitHub only https://github.com/OWNER/NAME[/tree/REF] is a repository")
    for segment in segments:
        if segment in {"", ".", ".."} or not _SEGMENT.fullmatch(segment):
            raise _bad(text, f"{segment!r} cannot be part of a repository's path")
    return segments


def _strip_suffix(name: str, text: str) -> str:
    """Remove one ``.git``, as a suffix."""
    bare = name.removesuffix(".git")
    if bare in {"", ".", ".."}:
        raise _bad(text, f"{name!r} is no name of a repository")
    return bare


def _authority(host: str, port: int) -> str:
    host = f"[{host}]" if ":" in host else host
    return host if port == HTTPS_PORT else f"{host}:{port}"


def _bad(text: str, advice: str) -> BadUrlError:
    return BadUrlError(f"{shown(text)!r} is no repository's URL: {advice}")
