"""Where a dependency comes from if not from its ecosystem's registry, as it is shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Up to the last @ before the path: what RFC 3986 calls userinfo, and what passwords put into it.
_USER = re.compile(r"(?<=//)[^/\s]*@")
_HOSTS = {"github": "github.com", "gitlab": "gitlab.com", "bitbucket": "bitbucket.org"}
_REVISIONS = ("rev", "ref", "tag", "branch")
_URL = re.compile(r"(?:git\+)?(?:https?|ssh|git)://[^\s#?]+", re.ASCII)
_MAX_SHOWN = 300


def requirement(versions: str, options: Iterable[tuple[str, object]]) -> str:
    """Return *versions* and those of *options* that are text, without anybody's credentials.

    >>> requirement("~> 2", [("git", "https://me:secret@example.org/a.git"), ("tag", None)])
    '~> 2, git: https://example.org/a.git'
    """
    shown = [versions] if versions else []
    shown += [f"{name}: {value}" for name, value in options if isinstance(value, str)]
    return _USER.sub("", ", ".join(shown))[:_MAX_SHOWN]


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
        if isinstance(short, str) and short:
            place = short if "/" in short else f"{short}/{short}"
            url = f"https://{host}/{place.removesuffix('.git')}.git"
    if not isinstance(url, str) or len(url) > _MAX_SHOWN or not _URL.fullmatch(url):
        return {}
    plain = _USER.sub("", url.removeprefix("git+"))
    for name in _REVISIONS:
        if isinstance(revision := options.get(name), str):
            return {"vcs_url": f"git+{plain}@{revision}"[:_MAX_SHOWN]}
    return {"vcs_url": f"git+{plain}"}
