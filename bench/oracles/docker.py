"""What dockerfile-ast says of a Dockerfile, and PyYAML of a compose file.

dockerfile-ast (npm: ``dockerfile-ast``, found through ``NODE_PATH``) is the parser of Docker's
extension for editors; it is asked by ``dockerfile_stages.cjs`` beside this file.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

TOOL = "dockerfile-ast 0.7.1, PyYAML 6.0.3"
_DEFAULT = re.compile(r"\$\{(\w+):?-([^{}]*)\}")


def truth(root: Path, manifest: str) -> set[tuple[str, str]] | None:
    """Return each scope and name; None where the tool finds no stage."""
    path = Path(root, manifest)
    if re.search(r"compose[^/]*\.ya?ml$", manifest):
        return _compose(path)
    done = subprocess.run(
        ["node", Path(__file__).with_name("dockerfile_stages.cjs")],
        input=str(path),
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(done.stdout)
    return _images(said["stages"], said["args"]) if said["stages"] else None


def _images(stages: list[dict[str, Any]], arguments: dict[str, str | None]) -> set[tuple[str, str]]:
    values = {name: value for name, value in arguments.items() if value is not None}
    values |= {"TARGETARCH": "amd64", "BUILDARCH": "amd64", "TARGETOS": "linux"}
    bases = [_whole(stage["image"], values) for stage in stages]
    named: dict[str, int] = {}
    roots: list[int] = []
    for place, (stage, base) in enumerate(zip(stages, bases, strict=True)):
        roots.append(roots[named[base.lower()]] if base.lower() in named else place)
        named[(stage["name"] or "").lower()] = place
    runtime = bases[roots[-1]]
    copied = [_whole(each, values) for stage in stages for each in stage["from"] if each]
    outside = {bases[root] for root in roots}
    outside |= {each for each in copied if each.lower() not in named and not each.isdigit()}
    found = {("build", _name(each, {})) for each in outside - {runtime}}
    found.add(("runtime", _name(runtime, {})))
    return {(scope, name) for scope, name in found if name and name != "scratch"}


def _whole(image: str, values: dict[str, str]) -> str:
    for _ in range(5):
        image = _DEFAULT.sub(lambda found: values.get(found[1], found[2]), image)
        image = re.sub(
            r"\$(?:\{(\w+)\}|(\w+))",
            lambda found: values.get(found[1] or found[2], found[0]),
            image,
        )
    return re.sub("[\"']", "", image)


def _name(image: str, values: dict[str, str]) -> str | None:
    whole = _whole(image, values).split("@")[0]
    folder, slash, last = whole.rpartition("/")
    name = folder + slash + last.split(":")[0]
    return None if "$" in name or "<" in name or "{" in name else name


def _compose(path: Path) -> set[tuple[str, str]] | None:
    try:
        document = yaml.safe_load(path.read_text())
    except yaml.YAMLError:
        return None
    services = (document or {}).get("services") or {}
    every = [each for each in services.values() if isinstance(each, dict)]
    built = {each.get("image") for each in every if each.get("build")}
    images = {each["image"] for each in every if each.get("image")} - built
    return {("development", name) for each in images if (name := _name(each, {}))}
