"""What Maven says a pom.xml depends on: the dependencies of its effective model.

And, as what it is built with, the parent of its raw model and the BOMs that it imports itself,
where Maven's model builder, having looked in the tree, asks for them from outside.

Needs Debian's packages ``maven`` and ``default-jdk-headless``. MavenModel.java hands each pom.xml
of the checkout to Maven's own model builder, offline; None where Maven cannot build a model, and
for a dependency whose name holds an expression that nothing in the tree explains: no name at all.
"""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

TOOL = "Maven 3.8.7, maven-model-builder"
_JARS = "/usr/share/maven/lib/*"
_SCOPES = {"import": "build", "provided": "build", "system": "build", "test": "development"}


def truth(root: Path, manifest: str) -> set[tuple[str, str]] | None:
    """Return scope and name of each dependency of *manifest*, or None where Maven refuses it."""
    return _all(root).get(manifest)


@cache
def _all(root: Path) -> dict[str, set[tuple[str, str]]]:
    source = Path(__file__).with_name("MavenModel.java")
    printed = subprocess.run(
        ["java", "-cp", _JARS, source, root], check=True, capture_output=True, text=True
    ).stdout
    found: dict[str, set[tuple[str, str]]] = {}
    said: set[tuple[str, str]] = set()
    for line in printed.splitlines():
        path, kind, *rest = line.split("\t")
        if kind == "read":
            found[path] = said
        elif kind != "failed":
            optional, name, _version = rest
            if "${" not in name:
                scope = "optional" if optional == "true" else "runtime"
                said.add((_SCOPES.get(kind, scope), name))
            continue
        said = set()
    return found
