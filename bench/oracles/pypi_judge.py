"""Says what the tools of Python packaging make of a manifest: run by a Python that has them.

``python pypi_judge.py ROOT MANIFEST`` prints a JSON list of [kind, name], where kind is
``runtime``, ``build``, ``group``, ``extra:NAME`` or ``file:PATH`` for a requirements file; or
``null`` where the tool refuses the manifest. setup.py is run, so run this without a network.
"""

# ruff: noqa: ANN001, D103, PLC0415, SLF001 each judge imports the tool it asks, and knows its inside

from __future__ import annotations

import json
import os
import re
import sys
import tomllib
from pathlib import Path
from urllib.parse import unquote, urlsplit


def requirements(root: Path, manifest: str) -> list[list[str]]:
    """Ask pip's parser of requirements files."""
    from pip._internal.network.session import PipSession
    from pip._internal.req.constructors import install_req_from_parsed_requirement
    from pip._internal.req.req_file import parse_requirements

    os.chdir(root)
    found = []
    for parsed in parse_requirements(manifest, session=PipSession()):
        if parsed.constraint:
            continue
        asked = install_req_from_parsed_requirement(parsed)
        file = re.match(r"-r (.*) \(line", (parsed.line_source and parsed.comes_from) or "")[1]
        name = asked.name or name_in_pins(asked.link, root / manifest)
        name = name or name_of_link(asked.link, root, manifest)
        if name:
            found.append([f"file:{os.path.relpath(file, root)}", name])
    return found


def name_in_pins(link, path: Path) -> str | None:
    """Return the name that a compiled file gives a link that stands bare in its source."""
    for place in [path.parent, *path.parent.parent.glob("generated")]:
        pins = place / f"{path.stem}.txt"
        if path.suffix == ".in" and pins.is_file():
            named = re.search(rf"^(\S+) @ {re.escape(link.url)}", pins.read_text(), re.MULTILINE)
            if named:
                return named[1]
    return None


def name_of_link(link, root: Path, manifest: str) -> str | None:
    parts = urlsplit(link.url)
    if parts.hostname == "github.com":
        return "/".join(parts.path.split("@")[0].removesuffix(".git").split("/")[1:3])
    if parts.scheme == "file":
        folder = Path(unquote(parts.path))
        if folder in (root / manifest).resolve().parents or folder == root:
            return None
        return tomllib.loads((folder / "pyproject.toml").read_text())["project"]["name"]
    return None


def pyproject(root: Path, manifest: str) -> list[list[str]]:
    """Ask the standards' reference implementations, setuptools, Poetry's core and Flit's."""
    from packaging.dependency_groups import resolve_dependency_groups
    from packaging.requirements import Requirement

    path = root / manifest
    document = tomllib.loads(path.read_text())
    tool = document.get("tool", {})
    project = document.get("project", {})
    names = {"build": document.get("build-system", {}).get("requires", [])}
    groups = document.get("dependency-groups", {})
    names["group"] = [text for group in groups for text in resolve_dependency_groups(groups, group)]
    names["group"] += tool.get("uv", {}).get("dev-dependencies", [])
    for members in tool.get("pdm", {}).get("dev-dependencies", {}).values():
        names["group"] += [text for text in members if not text.startswith("-e")]
    backend = document.get("build-system", {}).get("build-backend", "")
    found = []
    if "poetry" in tool or backend.startswith("poetry"):
        found += poetry(path.parent)
        names.pop("group")
    elif "metadata" in tool.get("flit", {}):
        metadata = tool["flit"]["metadata"]
        names["runtime"] = metadata.get("requires", [])
        for extra, texts in metadata.get("requires-extra", {}).items():
            names[f"extra:{extra}"] = texts
    elif project:
        from setuptools.config.pyprojecttoml import read_configuration

        if {"dependencies", "optional-dependencies"} & set(project.get("dynamic", [])):
            project = read_configuration(path, expand=True, ignore_option_errors=True)["project"]
        else:
            from pyproject_metadata import StandardMetadata

            document["project"].pop("readme", None)
            document["project"].pop("license", None)
            document["project"].pop("license-files", None)
            document["project"].setdefault("version", "0") if "version" not in document[
                "project"
            ].get("dynamic", []) else None
            StandardMetadata.from_pyproject(document, path.parent, allow_extra_keys=True)
        names["runtime"] = project.get("dependencies", [])
        extras = project.get("optional_dependencies", project.get("optional-dependencies", {}))
        for extra, texts in extras.items():
            names[f"extra:{extra}"] = texts
    own = project.get("name", "")
    for kind, texts in names.items():
        found += [[kind, Requirement(re.sub(r" #.*", "", text)).name] for text in texts]
    return [one for one in found if canonical(one[1]) != canonical(own)]


def poetry(folder: Path) -> list[list[str]]:
    from poetry.core.factory import Factory

    package = Factory().create_poetry(folder).package
    found = []
    for group in package._dependency_groups.values():
        for dependency in group.dependencies:
            if group.name != "main":
                found.append(["group", dependency.pretty_name])
            elif not dependency.is_optional():
                found.append(["runtime", dependency.pretty_name])
            else:
                extras = [e for e, members in package.extras.items() if dependency in members]
                found += [[f"extra:{e}", dependency.pretty_name] for e in extras or [""]]
    return [one for one in found if one[1].lower() != "python"]


def setup_cfg(root: Path, manifest: str) -> list[list[str]]:
    """Ask setuptools."""
    from setuptools.config.setupcfg import read_configuration

    os.chdir((root / manifest).parent)
    options = read_configuration("setup.cfg").get("options", {})
    return from_setuptools(options.get)


def setup_py(root: Path, manifest: str) -> list[list[str]]:
    """Run the file with a ``setup`` that remembers what it is given, as setuptools reads that."""
    import distutils.core
    import runpy

    import setuptools  # before distutils, which is in it

    given: dict[str, object] = {}
    setuptools.setup = distutils.core.setup = lambda **arguments: given.update(arguments)
    os.chdir((root / manifest).parent)
    sys.path.insert(0, ".")
    sys.argv = ["setup.py", "--version"]
    runpy.run_path("setup.py", run_name="__main__")
    return from_setuptools(given.get)


def from_setuptools(given) -> list[list[str]]:
    from setuptools._reqs import parse

    kinds = {"install_requires": "runtime", "setup_requires": "build", "tests_require": "group"}
    found = []
    for option, kind in kinds.items():
        found += [[kind, one.name] for one in parse(given(option) or [])]
    for extra, texts in (given("extras_require") or {}).items():
        kind = f"extra:{extra.partition(':')[0]}"
        kind = "runtime" if kind == "extra:" else kind
        found += [[kind, one.name] for one in parse(texts)]
    return found


def pipfile(root: Path, manifest: str) -> list[list[str]]:
    """Ask the reader of Pipfiles that Pipenv brings."""
    from pipenv.vendor.plette import Pipfile

    with (root / manifest).open() as file:
        document = Pipfile.load(file)
    kinds = {"packages": "runtime", "dev-packages": "group"}
    skip = {"source", "requires", "scripts", "pipenv", "pipfile"}
    return [
        [kinds.get(category, f"extra:{category}"), name]
        for category, table in document._data.items()
        if category not in skip
        for name in table
    ]


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


JUDGES = {
    "pyproject.toml": pyproject,
    "setup.cfg": setup_cfg,
    "setup.py": setup_py,
    "Pipfile": pipfile,
}

if __name__ == "__main__":
    root, manifest = Path(sys.argv[1]).resolve(), sys.argv[2]
    out, sys.stdout = sys.stdout, sys.stderr  # what a setup.py prints is no answer
    found = JUDGES.get(Path(manifest).name, requirements)(root, manifest)
    print(json.dumps(found), file=out)
