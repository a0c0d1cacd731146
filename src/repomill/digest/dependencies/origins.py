"""Where a dependency comes from if not from its ecosystem's registry, as it is shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Up to the last @ before the path: what RFC 3986 calls userinfo, and what passwords put into it.
_USER = re.compile(r"(?<=//)[^/\s]*@")
# The same where somebody wrote the address as no address, or a password with a slash in it.
_ANY_USER = re.compile(
    r"(:[/\\]{1,3}|(?<![:/\\])//(?=[^/\\\s@:]*+:))(?!git@[^/\\\s@]*+(?:[/\\\s]|$))[^/\\\s]*@"
)
_USER_WITH_SLASH = re.compile(r"(:[/\\]{1,3})[^/\\\s@]*:(?!\d*(?:[/?#]|$))\S*@")
# In what neither "#" nor blanks divide, and from its first address on.
_QUERY = re.compile(r"(?<![^#])((?:(?!:[/\\])[^#])*+:[/\\][^?#]*+)\?[^#]*+")
# What a fragment may say of which package is meant, and at which version.
_TOLD = re.compile(r"(?:egg|subdirectory|semver|path|workspace|sha\d+|md5)\b|[^=]*\Z")
_WORD = re.compile(r"(?<!\S)[^\s:]*+:\S*+")
"""With a colon, without which it is no address."""
_BARE_USER = re.compile(r"(?<!\S)[^\s/@:]*+:[^\s/@]*+@(?!sha\d)")
# The same before a host without a scheme; a version is no host, and the alias of a package no user.
_USER_OF_HOST = re.compile(r"(?<!\S)[^\s/@:]++:[^\s/@]++@(?=[A-Za-z_][\w-]*+\.[\w.-]*+[/:])")
_has_address = re.compile(r":[/\\]|//[^/\s@:]*+:[^/\s@]*+@").search
_HOSTS = {"github": "github.com", "gitlab": "gitlab.com", "bitbucket": "bitbucket.org"}
_SHORT = re.compile(r"[\w.-]{1,200}(?:/[\w.-]{1,200})?", re.ASCII)
_REVISIONS = ("rev", "ref", "tag", "branch")
_URL = re.compile(r"(?:git\+)?(?:https?|ssh|git)://[^\s#?]+", re.ASCII)
_MAX_SHOWN = 300


def requirement(versions: str, options: Iterable[tuple[str, object]]) -> str:
    """Return *versions* and those of *options* that are text, without anybody's credentials.

    >>> requirement("~> 2", [("git", "https://me:secret@example.org/a.git"), ("tag", None)])
    '~> 2, git: https://example.org/a.git'
    """
    shown = [without_credentials(versions)] if versions else []
    for name, value in options:
        if isinstance(value, str):
            plain = without_credentials(value)
            shown.append(f"{name}: {plain.rpartition('@')[2] if name in _HOSTS else plain}")
    return _USER.sub("", ", ".join(shown))[:_MAX_SHOWN]


def may_tell_a_secret(text: str) -> bool:
    """Return whether there is an address in *text*, or a user with a password before a host."""
    return ":" in text and bool(_has_address(text) or _USER_OF_HOST.search(text))


def without_credentials(text: str) -> str:
    """Return *text* with what may be secret taken out of its addresses.

    Users, passwords and queries, and fragments that say ``name=value``, but for those that say
    which package is meant.

    >>> without_credentials("git+https://me:secret@example.org/a.git?token=secret#egg=a")
    'git+https://example.org/a.git#egg=a'
    >>> without_credentials("https:/me:se/cret@example.org/a.tgz#token=secret")
    'https:/example.org/a.tgz'
    >>> without_credentials("me:secret@example.org/a and git+https://example.org/a#egg=a&token=b")
    'example.org/a and git+https://example.org/a#egg=a'
    """
    if not may_tell_a_secret(text):
        return text
    if len(text) <= _MAX_SHOWN:
        return _WORD.sub(_clean, text)
    # What is cut may be a password, of which the @ is no longer there.
    return _WORD.sub(_clean, f"{text[:_MAX_SHOWN]}@").removesuffix("@")


def _clean(word: re.Match[str]) -> str:
    """Return *word* so; each expression is tried on what it can match, and goes over it once."""
    text = _USER_OF_HOST.sub("", word[0])
    if not _has_address(text):
        return text
    before, at, rest = text.rpartition("@")
    if at:
        text = _USER_WITH_SLASH.sub(r"\1", _ANY_USER.sub(r"\1", before + at)) + rest
    if "?" in text:
        text = _QUERY.sub(r"\1", text)
    return _without_secret_fragments(text) if "#" in text else text


def _without_secret_fragments(text: str) -> str:
    parts = text.split("#")
    first = next((place for place, part in enumerate(parts) if _has_address(part)), len(parts))
    told = ["&".join(filter(_TOLD.match, part.split("&"))) for part in parts[first + 1 :]]
    return "#".join([*parts[: first + 1], *filter(None, told)])


def problem_without_credentials(text: str) -> str:
    """Return *text* so, and without users and passwords that stand before no address at all.

    >>> problem_without_credentials("the image me:secret@example.org/a is not certain")
    'the image example.org/a is not certain'
    >>> problem_without_credentials("what https://me:a-long-secr… stands for")
    'what https://… stands for'
    """
    # Where a message is cut, an @ may have followed.
    plain = without_credentials(text.replace("…", "@…"))
    return _BARE_USER.sub("", plain).replace("@…", "…")


def qualifiers(options: Mapping[str, object]) -> dict[str, str]:
    """Return what a package URL says of what comes from a Git repository, as SPDX writes it.

    >>> qualifiers({"git": "https://me:secret@example.org/a.git", "tag": "v2"})
    {'vcs_url': 'git+https://example.org/a.git@v2'}
    >>> qualifiers({"github": "rails"}), qualifiers({"path": "../a"})
    ({'vcs_url': 'git+https://github.com/rails/rails.git'}, {})
    """
    url = options.get("git")
    for name, host in _HOSTS.items():
        short = options.get(name)
        if isinstance(short, str) and _SHORT.fullmatch(short):
            place = short if "/" in short else f"{short}/{short}"
            url = f"https://{host}/{place.removesuffix('.git')}.git"
    if not isinstance(url, str) or len(url) > _MAX_SHOWN or not _URL.fullmatch(url):
        return {}
    plain = _USER.sub("", url.removeprefix("git+"))
    for name in _REVISIONS:
        if isinstance(revision := options.get(name), str):
            return {"vcs_url": f"git+{plain}@{revision}"[:_MAX_SHOWN]}
    return {"vcs_url": f"git+{plain}"}
