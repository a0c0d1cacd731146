"""What Bundler says of a Gemfile, and RubyGems of a gemspec: Debian's ruby and ruby-bundler.

They run the file: for repositories that are trusted, and nowhere else. No variable of the
environment that a Gemfile may ask for is set. Asked twice, as the Ruby that is installed and as one
of the newest version, since a manifest may ask that too: what either says is the truth. None where
the file needs a gem or a file that is not there to be run at all, or takes too long: one installs
npm's packages.
"""

import json
import os
import subprocess
from pathlib import Path

TOOL = "Bundler 2.3.15 (Bundler::Dsl), RubyGems 3.3.15 (Gem::Specification.load), Ruby 3.1.2"
_KEPT = ("PATH", "HOME", "LANG")
_NEWEST = "4.0.0"


def truth(root: Path, manifest: str) -> set[tuple[str, str]] | None:
    """Return {(scope, name)} of *manifest* in the checkout at *root*."""
    answers = [_ask(root / manifest), _ask(root / manifest, _NEWEST)]
    given = [answer for answer in answers if answer is not None]
    return set().union(*given) if given else None


def _ask(path: Path, *version: str) -> set[tuple[str, str]] | None:
    try:
        done = subprocess.run(
            ["ruby", str(Path(__file__).with_suffix(".rb")), str(path.resolve()), *version],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={name: os.environ[name] for name in _KEPT if name in os.environ},
        )
    except subprocess.TimeoutExpired:
        return None
    if done.returncode:
        return None
    return {(scope, name) for scope, name in json.loads(done.stdout.splitlines()[-1])}
