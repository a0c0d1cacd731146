"""What npm itself says of a ``package.json``: its own reader, asked without an installation.

@npmcli/arborist, the part of npm that decides what is installed, is given the package twice: as the
project that is developed, where devDependencies count, and as a dependency of another, where they
do not. It ships in the package ``npm`` and runs on Node.js (Debian: ``npm``, ``nodejs``).
"""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path

_ASK = """
const Arborist = require('@npmcli/arborist')
const PackageJson = require('@npmcli/package-json')
const [, folder] = process.argv
PackageJson.normalize(folder).then(({ content }) => {
  const project = new Arborist.Node({ path: folder, pkg: content })
  const user = new Arborist.Node({ path: '/nowhere', pkg: {} })
  const installed = new Arborist.Node({ name: 'one', parent: user, pkg: content })
  const edges = [...project.edgesOut.values(), ...installed.edgesOut.values()]
  console.log(JSON.stringify(edges.map(({ type, name }) => [type, name])))
})
"""
_SCOPES = {
    "prod": "runtime",
    "peer": "runtime",
    "optional": "optional",
    "peerOptional": "optional",
    "dev": "development",
}


@cache
def _modules() -> str:
    """Return the folder of npm's own modules."""
    command = ["npm", "root", "--global"]
    root = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    return str(Path(root, "npm", "node_modules"))


def _version() -> str:
    package = json.loads(Path(_modules(), "@npmcli", "arborist", "package.json").read_text("utf-8"))
    return str(package["version"])


TOOL = f"@npmcli/arborist {_version()}"


def truth(root: Path, manifest: str) -> set[tuple[str, str]] | None:
    """Return each scope and name; None where npm refuses the file as no package."""
    done = subprocess.run(
        ["node", "-e", _ASK, str(Path(root, manifest).parent)],
        env={"NODE_PATH": _modules(), "PATH": "/usr/local/bin:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        return None
    return {(_SCOPES[kind], name) for kind, name in json.loads(done.stdout)}
