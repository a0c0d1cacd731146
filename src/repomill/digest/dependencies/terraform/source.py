"""Where a Terraform module comes from, and a provider.

Source of the forms: https://developer.hashicorp.com/terraform/language/modules/sources and
https://developer.hashicorp.com/terraform/language/providers/requirements#source-addresses. The
Package URL specification has no type for Terraform; ``terraform`` is what its users write. What
comes from GitHub is of its type ``github``, and from elsewhere of ``generic``.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import parse_qs

from packageurl import PackageURL

from repomill.digest.dependencies.base import Dependency
from repomill.digest.dependencies.origins import without_credentials

REGISTRIES = ("registry.terraform.io", "registry.opentofu.org")
LOCAL = (".", "/")
"""What the path of a module begins with that is fetched from nowhere."""
_MAX_CHARACTERS = 1000

_PROVIDER = re.compile(r"(?:(?:([\w.-]+\.[\w-]+(?::\d+)?)/)?([\w-]+)/)?([\w-]+)")
_MODULE = re.compile(
    r"(?:([\w.-]+\.[\w-]+(?::\d+)?)/)?([\w-]+/[\w-]+)/([\w-]+)(?://([^?]*))?", re.ASCII
)
_EXACT = re.compile(r"=?\s*(\d+\.\d+)(\.\d+(?:-[\w.-]+)?)?", re.ASCII)
_LOCATION = re.compile(
    r"(?:(?P<scheme>\w+)://(?P<login>[^/]*@)?(?P<host>[^/@]+)/(?P<path>.+)"
    r"|(?P<scp_login>[\w.-]+@)(?P<scp_host>[\w.-]+):(?P<scp_path>.+)"
    r"|(?P<plain_host>github\.com|bitbucket\.org|gitlab\.com)/(?P<plain_path>.+))"
)
_VCS = frozenset({"git", "hg"})
_FORGES = {"github.com": "github", "bitbucket.org": "bitbucket"}


@lru_cache(maxsize=1024)
def provider(source: str, requirement: str, locked: str | None = None) -> Dependency | None:
    """Return the provider at the address *source*; None for what is built in, or no address.

    >>> provider("aws", "~> 5.0", "5.31.0").purl
    'pkg:terraform/hashicorp/aws@5.31.0'
    """
    found = _PROVIDER.fullmatch(source) if len(source) <= _MAX_CHARACTERS else None
    if found is None or found.group(1, 2) == ("terraform.io", "builtin"):
        return None
    host, namespace, name = _host(found[1]), found[2] or "hashicorp", found[3]
    return Dependency(
        name="/".join(filter(None, (host, namespace, name))),
        package=_terraform(host, namespace, name),
        requirement=requirement,
        resolved=locked or exact(requirement),
    )


@lru_cache(maxsize=1024)
def module(source: str, requirement: str) -> Dependency | None:
    """Return the module at *source*; None for one in the repository, or for no address.

    >>> module("terraform-aws-modules/vpc/aws", "5.1.0").purl
    'pkg:terraform/terraform-aws-modules/vpc/aws@5.1.0'
    >>> module("git::https://github.com/org/modules.git//vpc?ref=v2", "").purl
    'pkg:github/org/modules@v2#vpc'
    """
    if len(source) > _MAX_CHARACTERS or source.startswith(LOCAL):
        return None
    found = _MODULE.fullmatch(source)
    if found is None or found[1] in _FORGES:
        return _remote(source)
    host, namespace, name, subpath = _host(found[1]), *found.groups()[1:]
    return Dependency(
        name="/".join(filter(None, (host, namespace, name))),
        package=_terraform(host, namespace, name, subpath),
        requirement=requirement,
        resolved=exact(requirement),
    )


def exact(requirement: str) -> str | None:
    """Return the one version that *requirement* leaves, if it is one; what it lacks is 0.

    >>> exact("= 1.2.3"), exact("6.56"), exact("~> 1.2.3")
    ('1.2.3', '6.56.0', None)
    """
    found = _EXACT.fullmatch(requirement.strip())
    return f"{found[1]}{found[2] or '.0'}" if found else None


def _remote(source: str) -> Dependency | None:
    getter, _, rest = source.rpartition("::")
    address, _, query = rest.partition("?")
    found = _LOCATION.fullmatch(without_credentials(address.partition("#")[0]))
    if found is None:
        return None
    host = (found["host"] or found["scp_host"] or found["plain_host"]).lower()
    path, _, subpath = (found["path"] or found["scp_path"] or found["plain_path"]).partition("//")
    parts = [part for part in path.split("/") if part]
    if not parts:
        return None
    ref = next(iter(parse_qs(query, max_num_fields=20).get("ref", [])), "")
    if found["scheme"] and getter not in _VCS and found["scheme"] not in {"git", "ssh"}:
        return _archive(found["scheme"], host, parts)
    if host in _FORGES and len(parts) > 1:
        return _forged(host, parts, subpath, ref)
    tool = getter if getter in _VCS else "git"
    url = f"{tool}+{_transport(found)}{host}/{'/'.join(parts)}"
    parts[-1] = parts[-1].removesuffix(".git")
    return Dependency(
        name=f"{host}/{'/'.join(parts)}",
        package=_generic(parts[-1], {"vcs_url": url}, subpath),
        requirement=ref,
        resolved=ref or None,
    )


def _transport(found: re.Match[str]) -> str:
    """Return what a URL of what is *found* has before the host; ``git@`` is no secret."""
    login = "git@" if "git@" in found.group("login", "scp_login") else ""
    if found["scp_login"]:
        return f"ssh://{login}"
    return f"{found['scheme'] or 'https'}://{login}"


def _forged(host: str, parts: list[str], subpath: str, ref: str) -> Dependency:
    owner, name = parts[0], parts[1].removesuffix(".git")
    inside = "/".join([*parts[2:], subpath]).strip("/")
    return Dependency(
        name=f"{host}/{owner}/{name}",
        package=PackageURL(_FORGES[host], owner, name, subpath=inside or None),
        requirement=ref,
        resolved=ref or None,
    )


def _archive(scheme: str, host: str, parts: list[str]) -> Dependency:
    """Return what is downloaded; of the address only what cannot hold a credential."""
    place = f"{host}/{'/'.join(parts)}"
    return Dependency(
        name=place, package=_generic(parts[-1], {"download_url": f"{scheme}://{place}"}, "")
    )


def _generic(name: str, qualifiers: dict[str, str], subpath: str) -> PackageURL:
    return PackageURL("generic", None, name, qualifiers=qualifiers, subpath=subpath or None)


def _host(written: str | None) -> str | None:
    """Return the registry that is *written*, unless it is one that need not be."""
    return None if written is None or written.lower() in REGISTRIES else written


def _terraform(
    host: str | None, namespace: str, name: str, subpath: str | None = None
) -> PackageURL:
    elsewhere = {"repository_url": host} if host else None
    return PackageURL("terraform", namespace, name, qualifiers=elsewhere, subpath=subpath or None)
