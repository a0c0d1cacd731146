"""Read a gemspec: https://guides.rubygems.org/specification-reference/."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from repomill.digest.dependencies.rubygems import ruby
from repomill.digest.dependencies.rubygems.gemfile import Gem, gem
from repomill.digest.dependencies.rubygems.ruby_values import Record, Unknown

if TYPE_CHECKING:
    from repomill.digest.dependencies.rubygems.ruby_values import Ask, Spend

_RUNTIME = frozenset({"add_dependency", "add_runtime_dependency"})
_DEVELOPMENT = "add_development_dependency"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gemspec:
    """What a gem says of itself."""

    name: str | None
    runtime: tuple[Gem, ...]
    development: tuple[Gem, ...]
    problems: tuple[str, ...]
    loads: bool = False
    """Whether it loads gemspecs: those it is read without say what it lacks."""

    def record(self) -> Record:
        """Return what those who load it see: a Gem::Specification."""
        runtime = tuple(_dependency(gem, "runtime") for gem in self.runtime)
        development = tuple(_dependency(gem, "development") for gem in self.development)
        return Record({
            "name": self.name or Unknown(),
            "dependencies": (*runtime, *development),
            "runtime_dependencies": runtime,
            "development_dependencies": development,
        })  # fmt: skip


def _dependency(gem: Gem, kind: str) -> Record:
    """Return a Gem::Dependency."""
    versions = (gem.requirement,) if gem.requirement else ()
    return Record({"name": gem.name, "requirement": versions, "type": kind})


def parse(text: str, ask: Ask | None = None, spend: Spend | None = None) -> Gemspec:
    """Return what a gemspec says. Raises ManifestError, as *spend* does."""
    script = ruby.read(text, ask, spend)
    name: str | None = None
    runtime: list[Gem] = []
    development: list[Gem] = []
    problems = list(script.problems)
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
        loads=script.loads,
    )
