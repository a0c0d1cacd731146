"""What a plain reading of the whole file by PyYAML says of a workflow or an action."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

TOOL = "PyYAML 6.0.3"


def truth(root: Path, manifest: str) -> set[tuple[str, str]] | None:
    """Return each scope and name; None where the file is no YAML."""
    try:
        document = yaml.safe_load(Path(root, manifest).read_text())
    except yaml.YAMLError:
        return None
    if not isinstance(document, dict):
        return set()
    used: list[Any] = []
    for job in (document.get("jobs") or {}).values():
        used += [job.get("uses"), *(step.get("uses") for step in job.get("steps") or [])]
        containers = [job.get("container"), *(job.get("services") or {}).values()]
        used += [
            f"docker://{each.get('image') if isinstance(each, dict) else each}"
            for each in containers
            if each
        ]
    runs = document.get("runs") or {}
    used += [step.get("uses") for step in runs.get("steps") or []]
    if str(runs.get("image")).startswith("docker://"):
        used.append(runs["image"])
    return {("build", name) for each in used if each and (name := _name(str(each)))}


def _name(used: str) -> str | None:
    if used.startswith((".", "$/")):
        return None
    if used.startswith("docker://"):
        image = used.removeprefix("docker://").split("@")[0]
        name = re.sub(r":[^/]*$", "", image)
        return None if "$" in name else name
    return used.split("@", maxsplit=1)[0]
