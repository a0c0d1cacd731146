"""The dependencies of a repository as a bill of materials: CycloneDX 1.6, as JSON.

Nothing in it depends on when or where it was made. https://cyclonedx.org/docs/1.6/json/
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cyclonedx.model import ExternalReference, ExternalReferenceType, Property, XsUri
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.tool import ToolRepository
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from repomill import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from repomill.inventory import Dependency, Inventory

_SCOPES = {
    "runtime": ComponentScope.REQUIRED,
    "optional": ComponentScope.OPTIONAL,
}
"""Required is what runs, optional what may; all else is excluded, which the specification has for
"test and other non-runtime purposes". The first that is true of any manifest counts."""
_CONTAINERS = {"docker": ComponentType.CONTAINER, "oci": ComponentType.CONTAINER}
_UNKNOWN_TIME = datetime(1970, 1, 1, tzinfo=UTC)
"""Of a commit without a date that can be written; the library wants one."""


def as_bom(inventory: Inventory) -> bytes:
    """Return the bill: the repository, and a component for each package and version.

    Its time is the commit's. What each manifest says of a component stands in the properties
    ``repomill:NUMBER:manifest``, ``:scope`` and ``:range``.
    """
    root = _repository(inventory)
    uses = defaultdict(list)
    for dependency in inventory.dependencies:
        uses[dependency.purl].append(dependency)
    components = [_component(purl, told) for purl, told in uses.items()]
    source = f"{inventory.url or inventory.repository}@{inventory.commit}"
    bom = Bom(
        serial_number=uuid.uuid5(uuid.NAMESPACE_URL, source),
        metadata=BomMetaData(component=root, tools=_tools(), timestamp=_time(inventory.committed)),
        components=components,
    )
    bom.register_dependency(root, components)
    return JsonV1Dot6(bom).output_as_string(indent=1).encode() + b"\n"


def _repository(inventory: Inventory) -> Component:
    sources = [XsUri(inventory.url)] if inventory.url else []
    return Component(
        type=ComponentType.APPLICATION,
        name=inventory.repository,
        version=inventory.commit,
        bom_ref=f"{inventory.repository}@{inventory.commit}",
        external_references=[
            ExternalReference(type=ExternalReferenceType.VCS, url=url) for url in sources
        ],
    )


def _component(purl: str, uses: Sequence[Dependency]) -> Component:
    package = _parse(purl)
    scopes = {_SCOPES.get(use.scope, ComponentScope.EXCLUDED) for use in uses}
    return Component(
        type=_CONTAINERS.get(package.type if package else "", ComponentType.LIBRARY),
        group=package.namespace if package else None,
        name=package.name if package else uses[0].name,
        version=package.version if package else uses[0].resolved,
        purl=package,
        bom_ref=purl,
        scope=next(filter(scopes.__contains__, _SCOPES.values()), ComponentScope.EXCLUDED),
        properties=_properties(uses),
    )


def _parse(purl: str) -> PackageURL | None:
    try:
        return PackageURL.from_string(purl)
    except ValueError:
        return None


def _properties(uses: Sequence[Dependency]) -> Iterator[Property]:
    for number, use in enumerate(uses, 1):
        yield Property(name=f"repomill:{number}:manifest", value=use.manifest)
        yield Property(name=f"repomill:{number}:scope", value=use.scope)
        if use.range:
            yield Property(name=f"repomill:{number}:range", value=use.range)


def _tools() -> ToolRepository:
    us = Component(type=ComponentType.APPLICATION, name="repomill", version=__version__)
    return ToolRepository(components=[us])


def _time(text: str | None) -> datetime:
    try:
        return datetime.fromisoformat(text) if text else _UNKNOWN_TIME
    except ValueError:  # the year 10000
        return _UNKNOWN_TIME
