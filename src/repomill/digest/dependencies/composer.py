"""``composer.json``: what Composer installs for PHP.

Source: https://getcomposer.org/doc/04-schema.md. PHP itself and its extensions are requirements as
any other, as ``composer show --self`` has it; but no package of Packagist, so that their package
URLs are of the type ``generic``.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from packageurl import PackageURL

from repomill.digest.dependencies.base import (
    MAX_LOCK_BYTES,
    Contents,
    Dependency,
    ManifestError,
    Scope,
    sequence,
)
from repomill.digest.dependencies.formats import json_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    from repomill.digest.dependencies.base import Files

NAME = "Composer"
FILE_NAMES = r"composer\.json"
LOCK_NAMES = r"composer\.lock"

_SECTIONS = {"require": Scope.RUNTIME, "require-dev": Scope.DEVELOPMENT}
_LOCKED_SECTIONS = ("packages", "packages-dev")
# What Composer's ValidatingArrayLoader lets a requirement be called.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,200}(?:/[A-Za-z0-9][A-Za-z0-9_.-]{0,200})?")
_EXACT = re.compile(
    r"=?(v?\d{1,16}(?:\.\d{1,16}){2,3}(?:-(?:alpha|beta|rc|patch|p)\.?\d{0,9})?)",
    re.IGNORECASE,
)
"""One version; ``1.2`` is one as well, but may be written ``1.2.0`` where it is published."""
_VERSION = re.compile(r"[\w./+#-]{1,200}", re.ASCII)


def claims(path: str) -> bool:  # noqa: ARG001 every file of that name is one
    """Whether *path* is a manifest."""
    return True


def read(path: str, files: Files) -> Contents:
    """Return the dependencies of the package at *path*. Raises ManifestError."""
    manifest = files.parsed(path, json_object.parse)
    lock = posixpath.join(posixpath.dirname(path), "composer.lock")
    problems: list[str] = []
    versions: Mapping[str, str] = {}
    locked_by = lock if lock in files else None
    if locked_by:
        try:
            versions = files.parsed(lock, _locked, MAX_LOCK_BYTES)
        except ManifestError as error:
            problems.append(f"composer.lock: {error}")
            locked_by = None
    dependencies = [
        _dependency(scope, name.lower(), requirement, versions)
        for section, scope in _SECTIONS.items()
        for name, requirement in json_object.ranges(manifest, section, _NAME, problems)
    ]
    return Contents(dependencies=dependencies, locked_by=locked_by, problems=tuple(problems))


def _locked(text: str) -> Mapping[str, str]:
    """Return name → version of what ``composer.lock`` has; a branch is a version, ``dev-main``."""
    lock = json_object.parse(text)
    versions = {}
    for section in _LOCKED_SECTIONS:
        for package in sequence(lock.get(section)):
            fields = package if isinstance(package, dict) else {}
            name, version = fields.get("name"), fields.get("version")
            if isinstance(name, str) and isinstance(version, str) and _VERSION.fullmatch(version):
                versions[name.lower()] = version
    return versions


def _dependency(
    scope: Scope, name: str, requirement: str, versions: Mapping[str, str]
) -> Dependency:
    vendor, _, rest = name.rpartition("/")
    exact = _EXACT.fullmatch(requirement.strip()) if vendor else None
    return Dependency(
        name=name,
        package=PackageURL(
            type="composer" if vendor else "generic", namespace=vendor or None, name=rest
        ),
        requirement=requirement.encode(errors="replace").decode(),
        scope=scope,
        resolved=versions.get(name) or (exact[1] if exact else None),
    )
