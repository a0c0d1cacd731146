"""What HashiCorp's own parser says of a ``*.tf``: its blocks, and the addresses in them.

The parser is hcl/v2 (Debian: ``golang-github-hashicorp-hcl-v2-dev``, ``golang-go``), asked by
``terraform_blocks.go`` beside this file; what an address means is said here by rules of its own.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

_DEBIAN = Path("/usr/share/gocode")
TOOL = "hashicorp/hcl/v2 of Debian"


@cache
def _program() -> str:
    built = Path(tempfile.gettempdir(), "repomill-terraform-blocks")
    subprocess.run(
        ["go", "build", "-o", built, Path(__file__).with_name("terraform_blocks.go")],
        env={
            "GO111MODULE": "off",
            "GOPATH": str(_DEBIAN),
            "GOCACHE": f"{built}.cache",
            "PATH": "/usr/local/go/bin:/usr/local/bin:/usr/bin:/bin",
        },
        check=True,
    )
    return str(built)


@cache
def _folder(folder: Path) -> dict[str, dict[str, Any]]:
    """Return what each file of *folder* says; symbolic links are not followed."""
    paths = [each for each in sorted(folder.glob("*.tf")) if each.is_file()]
    done = subprocess.run(
        [_program()],
        input="\n".join(str(path) for path in paths if not path.is_symlink()),
        capture_output=True,
        text=True,
        check=True,
    )
    stated = [json.loads(line) for line in done.stdout.splitlines()]
    return {Path(each["path"]).name: each for each in stated}


def truth(root: Path, manifest: str) -> set[tuple[str, str]] | None:
    """Return each scope and name; None where the file has a syntax error."""
    path = Path(root, manifest)
    folder = _folder(path.parent)
    stated = folder.get(path.name)
    if stated is None or stated["broken"]:
        return None
    required = {name: source for each in folder.values() for name, source, _ in each["required"]}
    providers = [source for _, source, _ in stated["required"]]
    for name, version in stated["configured"]:
        if version or name not in required:
            providers.append(required.get(name, name))
    named = [_provider(each) for each in providers if each != "terraform"]
    named += [_module(source) for source, _ in stated["modules"]]
    return {("runtime", name) for name in named if name}


def _provider(source: str) -> str | None:
    parts = source.split("/")
    if parts[:2] == ["terraform.io", "builtin"]:
        return None
    if parts[0] in {"registry.terraform.io", "registry.opentofu.org"}:
        parts = parts[1:]
    return "/".join(parts if len(parts) > 1 else ["hashicorp", *parts])


def _module(source: str) -> str | None:
    if not source or source[0] in "./":
        return None
    address = re.sub(r"\?.*", "", source)
    address = re.sub(r"^\w+::", "", address)
    address = re.sub(r"^(?:\w+://)?(?:[^@/]+@)?", "", address)
    address = address.split("//")[0].rstrip("/")
    if "://" in source or "@" in source or address.startswith(("github.com", "bitbucket.org")):
        return re.sub(r"\.git$", "", address.replace(":", "/", 1))
    parts = address.split("/")
    if parts[0] in {"registry.terraform.io", "registry.opentofu.org"}:
        parts = parts[1:]
    return "/".join(parts) if len(parts) in {3, 4} else None
