"""Metadata objects made up as digests have them."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from packageurl import PackageURL

from repomill.digest import compose, select
from repomill.digest.compose import Facts, Parts
from repomill.digest.dependencies import Dependency, Manifest, Scope
from repomill.digest.select import SelectOptions
from repomill.model import Entry, Kind

COMMIT = "c0ffee" * 6 + "1234"
COMMITTED = datetime(2026, 11, 1, 12, tzinfo=UTC)


def dependency(
    purl: str, requirement: str = "", resolved: str | None = None, scope: str = "runtime"
) -> Dependency:
    """Return a dependency on the package *purl*, which names no version."""
    package = PackageURL.from_string(purl)
    name = f"{package.namespace}/{package.name}" if package.namespace else package.name
    return Dependency(
        name=name,
        package=package,
        requirement=requirement,
        resolved=resolved,
        scope=Scope(scope),
    )


def manifest(path: str, *dependencies: Dependency, **values) -> Manifest:
    return Manifest(path=path, ecosystem="npm", dependencies=dependencies, **values)


def metadata(
    manifests: Iterable[Manifest] = (), repository: str = "owner/name", files: int = 2, **values
) -> bytes:
    """Return the object of a commit with *manifests*; *values* are further facts."""
    given: dict[str, Any] = {
        "url": f"https://github.com/{repository}",
        "commit": COMMIT,
        "committed": COMMITTED,
    }
    facts = Facts(full_name=repository, manifests=tuple(manifests), **(given | values))
    entries = [Entry(b"file-%09d" % n, Kind.FILE, "1" * 40, 1000) for n in range(files)]
    options = SelectOptions()
    selection = select.select(entries, options, default_patterns=())
    parts = Parts(dependencies=b"", tree=b"", omitted=b"", shown=())
    return b"".join(compose.render(compose.compose(facts, parts, selection, options)))
