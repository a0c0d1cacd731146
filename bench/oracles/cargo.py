"""What cargo says of a Cargo.toml: `cargo metadata --no-deps`, on PATH, its version in TOOL.

It does not judge a manifest whose workspace or targets are not whole, nor one without a package.
"""

import json
import subprocess
from pathlib import Path

TOOL = "cargo 1.95 (cargo metadata --no-deps)"
_KINDS = {None: "runtime", "build": "build", "dev": "development"}


def truth(root: Path, manifest: str) -> set[tuple[str, str]] | None:
    """Return {(scope, name)} of *manifest* in the checkout at *root*."""
    path = (root / manifest).resolve()
    command = ["cargo", "metadata", "--no-deps", "--offline", "--format-version=1"]
    done = subprocess.run(
        [*command, f"--manifest-path={path}"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        return None
    for package in json.loads(done.stdout)["packages"]:
        if Path(package["manifest_path"]).resolve() == path:
            return {(_scope(one), one["name"]) for one in package["dependencies"]}
    return None


def _scope(dependency: dict[str, object]) -> str:
    kind = dependency["kind"]
    return "optional" if kind is None and dependency["optional"] else _KINDS[kind]  # type: ignore[index]
