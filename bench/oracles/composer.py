"""What Composer itself says of a ``composer.json``: ``composer show --self``.

Plugins are off, and nothing is installed: the package is read, and its requirements printed, PHP's
own among them. Debian: ``composer``.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

_COMPOSER = ["composer", "--no-interaction", "--no-plugins", "--no-scripts"]
_ENVIRONMENT = {
    "COMPOSER_ALLOW_SUPERUSER": "1",
    "COMPOSER_DISABLE_NETWORK": "1",
    "COMPOSER_HOME": "/nonexistent",
    "COMPOSER_ROOT_VERSION": "1.0.0",  # else it asks git
    "PATH": "/usr/local/bin:/usr/bin:/bin",
}
_SCOPES = {"requires": "runtime", "devRequires": "development"}


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*_COMPOSER, *arguments], env=_ENVIRONMENT, capture_output=True, text=True, check=False
    )


TOOL = " ".join(_run("--version").stdout.split()[:3])


def truth(root: Path, manifest: str) -> set[tuple[str, str]] | None:
    """Return each scope and name; None where Composer refuses the file."""
    done = _run("show", "--self", "--format=json", f"--working-dir={Path(root, manifest).parent}")
    if done.returncode != 0:
        return None
    package = json.loads(done.stdout)
    return {
        (scope, name.lower())
        for section, scope in _SCOPES.items()
        for name in package.get(section) or {}
    }
