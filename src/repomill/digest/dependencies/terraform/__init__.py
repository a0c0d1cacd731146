"""Providers and modules that Terraform or OpenTofu fetches, read from ``*.tf``.

Dependencies are what ``required_providers`` lists, the older ``version`` of a ``provider`` block,
and modules from a registry or a repository. A ``provider`` block alone stands for the provider of
HashiCorp's that is called so, where nothing else in its folder, which is one module, requires one:
https://developer.hashicorp.com/terraform/language/providers/requirements. Providers that nothing
but the type of a resource implies are left out, and so is ``required_version``, the language's own.
Modules of the same repository, ``./`` and ``../``, are none; and a lock file in one of them, which
a folder above it calls, counts as little as it does to Terraform.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from repomill.digest import names
from repomill.digest.dependencies.base import (
    MAX_LOCK_BYTES,
    Contents,
    Dependency,
    ManifestError,
    beside,
)
from repomill.digest.dependencies.terraform import hcl
from repomill.digest.dependencies.terraform import source as terraform_source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from repomill.digest.dependencies.base import Files

NAME = "Terraform"
FILE_NAMES = r".+\.(?:tf|tofu)"
LOCK_NAMES = r"\.terraform\.lock\.hcl"
_LOCK = ".terraform.lock.hcl"

_HEADER = re.compile(r'\n[ \t]*(?:(module|provider)[ \t]+"?([\w-]*)"?|terraform)[ \t]*\{')
_REQUIRED = "required_providers"
_MAX_NAMED = 10_000
_MAX_TOGETHER = 300_000
"""Of all folders that are looked at as one module."""
_LOCKED = re.compile(
    r'^provider "([^"\n]+)" \{\s*version\s*=\s*"([^"\n]+)"', re.MULTILINE
)  # https://developer.hashicorp.com/terraform/language/files/dependency-lock
_OWNER = re.compile(r"\"?([\w-]+)\"?\s*[=:]?")


@dataclass(frozen=True, slots=True)
class _Stated:
    """What one file says."""

    modules: list[Dependency] = field(default_factory=list)
    required: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Local name → address and versions."""
    configured: dict[str, str] = field(default_factory=dict)
    """Local name → versions, of each provider that has a block."""
    problems: list[str] = field(default_factory=list)
    own: list[str] = field(default_factory=list)
    """Sources of modules that the repository itself has."""


@dataclass(frozen=True, slots=True)
class _Module:
    """What the files of one folder say."""

    required: dict[str, tuple[str, str]] = field(default_factory=dict)
    calls: set[str | None] = field(default_factory=set)
    """Folders of the repository that it has for modules."""


_NOTHING = _Stated()


def claims(path: str) -> bool:  # noqa: ARG001 every file that is called so
    """Whether *path* is a manifest."""
    return True


def read(path: str, files: Files) -> Contents:
    """Return what the file at *path* says."""
    stated = files.parsed(path, _parse)
    if stated is _NOTHING:
        return Contents(dependencies=())
    if not stated.required and not stated.configured:
        return Contents(dependencies=stated.modules, problems=stated.problems)
    lock = posixpath.join(posixpath.dirname(path), _LOCK)
    counts = lock in files and not _is_called(posixpath.dirname(path), files)
    locked = files.parsed(lock, _parse_lock, MAX_LOCK_BYTES) if counts else {}
    providers = [
        terraform_source.provider(source, versions, _locked(locked, source))
        for source, versions in _providers(path, stated, files)
    ]
    return Contents(
        dependencies=[*stated.modules, *(each for each in providers if each)],
        locked_by=lock if locked and any(providers) else None,
        problems=stated.problems,
    )


def _parse(text: str) -> _Stated:
    if "module" not in text and "provider" not in text:
        return _NOTHING
    text = f"\n{text}"
    if not _HEADER.search(text):
        return _NOTHING
    stated = _Stated()
    text = hcl.plain(text)
    for header, body in hcl.blocks(text, _HEADER):
        if header[1] == "module":
            _add_module(stated, header[2], body)
        elif header[1]:
            _, version = body.address()
            stated.configured[header[2]] = stated.configured.get(header[2]) or version
        elif _REQUIRED in body.inner:
            stated.required.update(_requirements(text, body.inner[_REQUIRED]))
    if len(stated.modules) + len(stated.required) + len(stated.configured) > _MAX_NAMED:
        raise ManifestError(f"more than {_MAX_NAMED} modules and providers")
    return stated if stated != _NOTHING else _NOTHING


def _add_module(stated: _Stated, name: str, body: hcl.Body) -> None:
    source, version = body.address()
    if "${" in source or (not source and body.has_source):
        stated.problems.append(f"the source of module {names.cut(name, 100)} is not fixed")
    elif source.startswith(("./", "../")):
        stated.own.append(source)
    elif found := terraform_source.module(source, version):
        stated.modules.append(found)
    elif source and not source.startswith(terraform_source.LOCAL):
        stated.problems.append(f"the source of module {names.cut(name, 100)} is no address")


def _requirements(text: str, start: int) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield what is in the block required_providers: local names, addresses and versions."""
    block = hcl.body_at(text, start)
    for name, versions in block.attributes().items():
        yield name, (name, versions)
    for before, place in block.inner.items():
        if owner := _OWNER.fullmatch(before):
            attributes = hcl.body_at(text, place).attributes()
            yield owner[1], (attributes.get("source", owner[1]), attributes.get("version", ""))


def _providers(path: str, stated: _Stated, files: Files) -> Iterator[tuple[str, str]]:
    """Yield the address of each provider that the file needs, and the versions it may be of."""
    yield from stated.required.values()
    if not stated.configured.keys() - stated.required.keys() and not any(
        stated.configured.values()
    ):
        return
    required = files.once(_module, posixpath.dirname(path)).required
    for name, versions in stated.configured.items():
        if versions or name not in required:
            source = required[name][0] if name in required else name
            if source != "terraform":  # it is part of Terraform itself
                yield source, versions


def _is_called(folder: str, files: Files) -> bool:
    """Whether a folder above *folder* has it for a module."""
    above = folder
    while above:
        above = posixpath.dirname(above)
        if folder in files.once(_module, above).calls:
            return True
    return False


def _module(files: Files, folder: str) -> _Module:
    """Return what the files of Terraform's in *folder* say together."""
    module = _Module()
    for path in files.once(_folders).get(folder, ()):
        try:
            stated = files.parsed(path, _parse)
        except ManifestError:  # it is named where it is read itself
            continue
        stated_there = len(stated.required) + len(stated.own)
        files.spend("modules and providers of folders", stated_there, _MAX_TOGETHER)
        module.required.update(stated.required)
        module.calls.update(beside(path, source) for source in stated.own)
    return module


def _folders(files: Files) -> dict[str, list[str]]:
    folders: dict[str, list[str]] = {}
    for each in files:
        if each.endswith((".tf", ".tofu")):
            folders.setdefault(posixpath.dirname(each), []).append(each)
    return folders


def _parse_lock(text: str) -> dict[str, str]:
    return dict(_LOCKED.findall(text))


def _locked(locked: dict[str, str], source: str) -> str | None:
    """Return the version of the provider at *source*, which may leave out host and namespace.

    Lock files have the addresses in small letters, as Terraform takes them.
    """
    source = source.lower()
    full = source if "/" in source else f"hashicorp/{source}"
    hosts = terraform_source.REGISTRIES if full.count("/") == 1 else None
    candidates = [f"{host}/{full}" for host in hosts] if hosts else [full]
    return next((locked[each] for each in candidates if each in locked), None)
