"""References to container images, as Dockerfiles, compose files and workflows write them.

Source of the grammar: https://github.com/distribution/reference. Package URLs are of the type
``docker``: the registry is a qualifier where it is not Docker's own, and the version is the digest
where there is one, else the tag.
"""

from __future__ import annotations

import re
from functools import lru_cache

from packageurl import PackageURL

from repomill.digest.dependencies.base import Dependency, Scope

_MAX_CHARACTERS = 1000
_REFERENCE = re.compile(
    r"(?:(?P<registry>(?:[\w-]+(?:\.[\w-]+)+|localhost)(?::\d+)?|[\w-]+:\d+)/)?"
    r"(?P<path>[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*)"
    r"(?::(?P<tag>[\w][\w.-]*|[\w.-]*\$[^@\n]*))?"
    r"(?:@(?P<digest>[A-Za-z][\w+.-]*:[0-9a-fA-F]{32,}|\$\S+))?",
    re.ASCII,
)
_DOCKER_HUB = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})


@lru_cache(maxsize=1024)
def dependency(reference: str, scope: Scope) -> Dependency | None:
    """Return the image that *reference* names; None where its name is not certain.

    A tag in which a variable is left is the requirement as it is written, and settles nothing.

    >>> dependency("ghcr.io/org/app:1.2", Scope.RUNTIME).purl
    'pkg:docker/org/app@1.2?repository_url=ghcr.io'
    """
    found = _REFERENCE.fullmatch(reference) if len(reference) <= _MAX_CHARACTERS else None
    if found is None:
        return None
    registry, path, tag, digest = found.group("registry", "path", "tag", "digest")
    version = digest or tag
    return Dependency(
        name=f"{registry}/{path}" if registry else path,
        package=_package(registry, path),
        requirement="@".join(filter(None, (tag, digest))),
        scope=scope,
        resolved=None if version is None or "$" in version else version,
    )


def _package(registry: str | None, path: str) -> PackageURL:
    namespace, _, name = path.rpartition("/")
    if registry and registry not in _DOCKER_HUB:
        return PackageURL("docker", namespace, name, qualifiers={"repository_url": registry})
    return PackageURL("docker", None if namespace == "library" else namespace, name)
