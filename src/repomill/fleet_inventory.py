"""The dependencies of all repositories in a store, as one table."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from repomill import inventory, logs, progress
from repomill.errors import BadKeyError, NoInventoryError, StoreError
from repomill.keeping import metadata_key
from repomill.ledger.book import THREADS
from repomill.ledger.parallel import each

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from repomill.inventory import Inventory
    from repomill.stores.base import Store

_VERSION = re.compile(r"[@?#]")
_NUGET = "pkg:nuget/"
_BEFORE, _AFTER = metadata_key("\0").split("\0")


@dataclass(slots=True)
class Table:
    """A Parquet file with a row for each dependency, and what is in it."""

    path: Path
    repositories: int = 0
    """That tell their dependencies, though some may have none."""
    dependencies: int = 0
    unusable: int = 0
    """Metadata objects that could not be used, each named in the log."""

    def count(self, found: Inventory | None) -> None:
        """Count what an object told; None for one that could not be used."""
        self.unusable += found is None
        if found:
            self.repositories += 1
            self.dependencies += len(found.dependencies)


def write(store: Store, folder: Path, *, for_people: bool) -> Table:
    """Return the table of what the metadata objects in *store* tell, made in *folder*.

    Its rows are sorted by the repository's key, then as the metadata object has them. Objects are
    held in memory one after another, but for those that are being read. Raises StoreError where the
    store cannot be read or holds no metadata that can be used.
    """
    from repomill import parquet  # noqa: PLC0415 DuckDB takes long to import

    keys = sorted(_keys(store))
    if not keys:
        raise StoreError(f"{store.name} holds no metadata of repositories; check --store")
    path, rows = folder / "dependencies.parquet", folder / "rows.json.gz"
    table = Table(path)
    reading = progress.bar(_read(store, keys), total=len(keys), text="Reading", shown=for_people)
    # Most of a row is in the one before it, too.
    with gzip.open(rows, "wb", compresslevel=1) as spool:
        for found in reading:
            table.count(found)
            if found:
                spool.write(_rows(found))
    if not table.repositories:
        raise StoreError(f"none of the metadata in {store.name} tell dependencies; see the log")
    with progress.spinner("Writing the table", shown=for_people):
        parquet.write(rows, path)
    return table


def _keys(store: Store) -> Iterator[str]:
    """Yield the key of each repository with a metadata object."""
    for key in store.list(_BEFORE):
        if key.endswith(_AFTER):
            yield key.removeprefix(_BEFORE).removesuffix(_AFTER)


def _read(store: Store, keys: Sequence[str]) -> Iterator[Inventory | None]:
    """Yield what the object of each of *keys* tells, if it can be used; not of what is gone."""
    for key, body in _bodies(store, keys):
        if body is None:
            continue
        try:
            found = inventory.read(body)
        except NoInventoryError as error:
            logs.no_inventory(key, error)
            found = None
        yield found


def _bodies(store: Store, keys: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
    """Yield each key and the beginning of its object, in order; several are read at once."""
    for start in range(0, len(keys), THREADS):
        window = keys[start : start + THREADS]
        bodies = dict(each(partial(_get, store), window, threads=THREADS))
        for key in window:
            yield key, bodies.pop(key)


def _get(store: Store, key: str) -> tuple[str, bytes | None]:
    try:
        return key, store.get(metadata_key(key), most_bytes=inventory.MAX_BYTES)
    except BadKeyError:  # another program's, with a name that none of ours has
        return key, None


def _rows(found: Inventory) -> bytes:
    """Return the rows of one repository, a JSON object a line."""
    ecosystems = {manifest.path: manifest.ecosystem for manifest in found.manifests}
    rows = (
        {
            "repository": found.repository,
            "url": found.url,
            "commit": found.commit,
            "manifest": one.manifest,
            "ecosystem": ecosystems[one.manifest],
            "package": _package(one.purl),
            "purl": one.purl,
            "name": one.name,
            "range": one.range,
            "resolved": one.resolved,
            "scope": one.scope,
        }
        for one in found.dependencies
    )
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def _package(purl: str) -> str:
    """Return what is the same for all that name a package, however they write it.

    The registry of NuGet knows no case, but package URLs keep it.

    >>> _package("pkg:npm/%40babel/core@7.1.0"), _package("pkg:nuget/NUnit?a=b")
    ('pkg:npm/%40babel/core', 'pkg:nuget/nunit')
    """
    package = _VERSION.split(purl, maxsplit=1)[0]
    return package.lower() if package.startswith(_NUGET) else package
