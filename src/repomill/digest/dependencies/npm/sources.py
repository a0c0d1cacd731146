"""Where npm gets a package from that is no registry's: a repository, an archive.

Source of the forms: https://docs.npmjs.com/cli/v11/using-npm/package-spec and hosted-git-info; of
what a package URL says of them: https://github.com/package-url/purl-spec.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from repomill.digest.dependencies import origins

if TYPE_CHECKING:
    from collections.abc import Mapping

_HOSTS = {"github": "github.com", "gitlab": "gitlab.com", "bitbucket": "bitbucket.org"}
_HOST = "|".join(re.escape(host) for host in _HOSTS.values())
_NO_USER = "npm|workspace|patch|file|link|portal|exec|github|gitlab|bitbucket|gist"
_USER = re.compile(
    r"(?<=//)(?!git@)[^/?#\s]*@"
    rf"|(?<=^github:)[^/#@\s]*@|(?<=^gitlab:)[^/#@\s]*@|(?<=^bitbucket:)[^/#@\s]*@"
    rf"|^[^/@:\s]*:[^/@\s]*@(?=(?:{_HOST}):)"
    rf"|^(?!(?:{_NO_USER}):)[^/@:\s]+:[^/@\s]+@(?=[\w.-]+[/:])"
)
_SHORT = re.compile(r"(?:(github|gitlab|bitbucket):)?((?![.])[\w.-]+/[\w.-]+)(?:#(.*))?", re.ASCII)
_SCP = re.compile(r"git@([\w.-]+):([\w./-]+)(?:#(.*))?", re.ASCII)
_URL = re.compile(r"((?:git|(?:git\+)?(?:ssh|https?)|git\+file)://[^#\s]+)(?:#(.*))?")
_REPOSITORY = re.compile(rf"https?://(?:www\.)?(?:{_HOST})/[^/]+/[^/]+/?|.*\.git")
_PATCHED = re.compile(
    r"(patch:(?:@[^/@\s]+/)?[^/@\s]+@)([^#]*%(?:25)*3A(?:/|%(?:25)*2F)[^#]*)", re.IGNORECASE
)
"""What Yarn patches, where that has an address: of its signs, some are escaped."""
_MOST_PATCHES = 5
"""Of patches; each escapes the signs again."""
_TOLD = re.compile("(?:commit|tag|head|branch|workspace|semver|path)=")
"""What a fragment may say of which package is meant; a secret else, for what is known."""
_MAX_CHARACTERS = 2000


def without_credentials(requirement: str) -> str:
    """Return *requirement* without what may be secret in an address; ``git@`` is no secret.

    >>> without_credentials("git+https://me:secret@git.example/team/ui.git#v2")
    'git+https://git.example/team/ui.git#v2'
    >>> without_credentials("patch:ui@https%3A//example.org/ui.tgz?token=secret#~/ui.patch")
    'patch:ui@https://example.org/ui.tgz#~/ui.patch'
    """
    if requirement.startswith("patch:"):
        requirement = _PATCHED.sub(_plain_patch, requirement, count=1)
    plain = origins.without_credentials(_USER.sub("", requirement))
    before, sign, fragment = plain.partition("#")
    if "=" not in fragment or not (_SHORT.fullmatch(before) or _SCP.fullmatch(before)):
        return plain
    told = [part for part in fragment.split("&") if "=" not in part or _TOLD.match(part)]
    return before + (sign if told else "") + "&".join(told)


def _plain_patch(patch: re.Match[str]) -> str:
    address = patch[2]
    for _ in range(_MOST_PATCHES):
        address = unquote(address)
    return patch[1] + origins.without_credentials(address.partition("#")[0])


def qualifiers(requirement: str) -> Mapping[str, str]:
    """Return what a package URL says of a package that *requirement* takes from elsewhere.

    >>> qualifiers("alphagov/govuk-frontend#v5.0.0")
    {'vcs_url': 'git+https://github.com/alphagov/govuk-frontend.git@v5.0.0'}
    >>> qualifiers("^5.0.0")
    {}
    """
    if len(requirement) > _MAX_CHARACTERS:
        return {}
    if short := _SHORT.fullmatch(requirement):
        host = _HOSTS[short[1] or "github"]
        return _of_git(f"git+https://{host}/{short[2].removesuffix('.git')}.git", short[3])
    if scp := _SCP.fullmatch(requirement):
        return _of_git(f"git+ssh://git@{scp[1]}/{scp[2]}", scp[3])
    if not (url := _URL.fullmatch(requirement)):
        return {}
    if url[1].startswith("http") and not _REPOSITORY.fullmatch(url[1]):
        return {"download_url": url[1]}
    return _of_git(f"git+{url[1].removeprefix('git+')}", url[2])


def _of_git(url: str, committish: str | None) -> Mapping[str, str]:
    """Return the form that SPDX gives to a place in a repository; ``name=value`` is none there."""
    told = "&".join(part for part in (committish or "").split("&") if "=" not in part)
    if told and not told.startswith("semver:"):
        url += f"@{told}"
    return {"vcs_url": url}
