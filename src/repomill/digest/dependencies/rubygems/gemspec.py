"""Read a gemspec: https://guides.rubygems.org/specification-reference/."""

from __future__ import annotations

from dataclasses import dataclass

from repomill.digest.dependencies.rubygems import ruby
from repomill.digest.dependencies.rubygems.gemfile import Gem, broken, gem

_RUNTIME = frozenset({"add_dependency", "add_runtime_dependency"})
_DEVELOPMENT = "add_development_dependency"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gemspec:
    """What a gem says of itself."""

    name: str | None
    runtime: tuple[Gem, ...]
    development: tuple[Gem, ...]
    problems: tuple[str, ...]


def parse(text: str) -> Gemspec:
    """Return what a gemspec says. Raises ManifestError."""
    script = ruby.read(text)
    name: str | None = None
    runtime: list[Gem] = []
    development: list[Gem] = []
    problems = list(broken(script))
    for call in script.calls:
        if not call.has_receiver:
            continue
        if call.name == "name=" and isinstance(call.arguments[0], str):
            name = call.arguments[0]
        elif call.name in _RUNTIME or call.name == _DEVELOPMENT:
            asked = gem(call)
            if asked is None:
                problems.append(f"line {call.line}: the name of a gem is computed")
            else:
                (runtime if call.name in _RUNTIME else development).append(asked)
    return Gemspec(
        name=name,
        runtime=tuple(runtime),
        development=tuple(development),
        problems=tuple(dict.fromkeys(problems)),
    )
