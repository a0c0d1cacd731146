"""Read a Gemfile: the language of Bundler::Dsl, https://bundler.io/man/gemfile.5.html."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from repomill.digest.dependencies.base import Scope
from repomill.digest.dependencies.origins import qualifiers, requirement
from repomill.digest.dependencies.rubygems import ruby
from repomill.digest.dependencies.rubygems.ruby import MARK
from repomill.digest.dependencies.rubygems.ruby_values import FileText, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from repomill.digest.dependencies.rubygems.ruby import Call
    from repomill.digest.dependencies.rubygems.ruby_values import Ask, Spend, Value

DEFAULT = frozenset({"default"})
_DEPLOYED = frozenset({"default", "production"})
_DEVELOPMENT = frozenset({
    "benchmark", "ci", "coverage", "cucumber", "debug", "dev", "development", "doc", "docs",
    "documentation", "integration", "lint", "linters", "linting", "mdl", "release", "rubocop",
    "spec", "style", "system_tests", "test", "tests", "tools",
})  # fmt: skip
"""Bundler's own two, and what people call groups for their tools."""
_ORIGINS = ("git", "github", "gitlab", "bitbucket", "gist", "path", "branch", "tag", "ref")
_SOURCES = frozenset({"git", "github", "path"})
_MAX_ADDRESS = 1_000
_GROUPS = ("group", "groups")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gem:
    """A gem that is asked for."""

    name: str
    requirement: str = ""
    groups: frozenset[str] = DEFAULT
    repository: str = ""
    """Where it comes from that is in no registry, as a package URL says it."""

    @property
    def scope(self) -> Scope:
        """What the groups it is in are for."""
        if self.groups & _DEPLOYED or not self.groups & _DEVELOPMENT:
            return Scope.RUNTIME
        return Scope.DEVELOPMENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Include:
    """Another file whose contents count: a Gemfile, or the gemspecs of a folder."""

    path: str
    """Relative to the folder of the Gemfile."""
    groups: frozenset[str] = DEFAULT
    name: str | None = None
    """Of the gem, where a folder has gemspecs of several."""
    development: str = "development"
    """The group of what the gemspec names for development."""
    must_exist: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Gemfile:
    """What a Gemfile says by itself."""

    gems: tuple[Gem, ...]
    gemfiles: tuple[Include, ...]
    gemspecs: tuple[Include, ...]
    problems: tuple[str, ...]
    loads: bool = False
    """Whether it loads gemspecs or lists folders: without them it lacks what they say."""


def parse(text: str, ask: Ask | None = None, spend: Spend | None = None) -> Gemfile:
    """Return what a Gemfile says. Raises ManifestError, as *spend* does."""
    script = ruby.read(text, ask, spend)
    gems: list[Gem] = []
    gemfiles: list[Include] = []
    gemspecs: list[Include] = []
    problems = list(script.problems)
    sources: dict[str, Value] = {}
    for call in script.calls:
        match call.name:
            case "git_source" if not call.has_receiver:
                sources |= dict.fromkeys(_words(call.arguments[:1]), call.template)
            case "gem" if not call.has_receiver:
                asked = gem(_sourced(call, sources, problems))
                if asked is None:
                    problems.append(f"line {call.line}: the name of a gem is computed")
                else:
                    gems.append(asked)
            case "gemspec" if not call.has_receiver:
                gemspecs.append(_gemspec(call))
            case "eval_gemfile" | "instance_eval" | "eval":
                gemfiles += _included(call, problems)
    return Gemfile(
        gems=tuple(gems),
        gemfiles=tuple(gemfiles),
        gemspecs=tuple(gemspecs),
        problems=tuple(dict.fromkeys(problems)),
        loads=script.loads,
    )


def gem(call: Call) -> Gem | None:
    """Return the gem that *call* asks for; None where its name is not known."""
    name = next(iter(call.arguments), None)
    if not isinstance(name, str) or not name or any(letter.isspace() for letter in name):
        return None
    versions = ", ".join(_versions(call.arguments[1:]))
    options = _options(call)
    return Gem(
        name=name,
        requirement=requirement(versions, _origin(options)),
        groups=_groups(call),
        repository=qualifiers(options).get("vcs_url", ""),
    )


def _sourced(call: Call, sources: Mapping[str, Value], problems: list[str]) -> Call:
    """Return *call* with the repository that one of *sources*, of the file's own, makes of it."""
    name = next((one for one in call.options if one in sources and one not in _ORIGINS), None)
    if name is None:
        return call
    template, given = sources[name], call.options[name]
    if not isinstance(template, str) or not isinstance(given, str):
        problems.append(f"line {call.line}: where a gem comes from is computed")
        return call
    if len(template) + len(given) * template.count(MARK) > _MAX_ADDRESS:
        problems.append(f"line {call.line}: where a gem comes from is too long")
        return call
    return replace(call, options={**call.options, "git": template.replace(MARK, given)})


def _versions(arguments: tuple[Value, ...]) -> Iterator[str]:
    for argument in arguments:
        if isinstance(argument, tuple):
            yield from _versions(argument)
        elif isinstance(argument, Unknown) and argument.source:
            yield argument.source
        elif isinstance(argument, str):
            yield argument


def _options(call: Call) -> Mapping[str, Value]:
    """Return the options of a gem; where it comes from says it, else the blocks around it."""
    options: dict[str, Value] = {}
    for around in call.within:
        if around.name in _SOURCES and around.arguments:
            options = {around.name: around.arguments[0], **around.options}
    if not _SOURCES.isdisjoint(call.options):
        options = {}
    return {**options, **call.options}


def _origin(options: Mapping[str, Value]) -> Iterator[tuple[str, object]]:
    for name in _ORIGINS:
        value = options.get(name)
        yield name, value.source if isinstance(value, Unknown) and value.source else value


def _groups(call: Call) -> frozenset[str]:
    found: set[str] = set()
    for around in call.within:
        if around.name == "group":
            found.update(_words(around.arguments))
    for name in _GROUPS:
        found.update(_words((call.options.get(name),)))
    return frozenset(found) or DEFAULT


def _words(values: tuple[Value, ...]) -> Iterator[str]:
    for value in values:
        if isinstance(value, tuple):
            yield from _words(value)
        elif isinstance(value, str):
            yield value


def _gemspec(call: Call) -> Include:
    return Include(
        path=_option(call.options, "path") or ".",
        groups=_groups(call),
        name=_option(call.options, "name"),
        development=_option(call.options, "development_group") or "development",
    )


def _option(options: Mapping[str, Value], name: str) -> str | None:
    value = options.get(name)
    return value if isinstance(value, str) else None


def _included(call: Call, problems: list[str]) -> Iterator[Include]:
    target = next(iter(call.arguments), None)
    if isinstance(target, FileText):
        yield Include(path=target.path, groups=_groups(call), must_exist=not call.is_conditional)
    elif call.name == "eval_gemfile" and isinstance(target, str):
        yield Include(path=target, groups=_groups(call), must_exist=not call.is_conditional)
    else:
        problems.append(f"line {call.line}: {call.name} of what only running it would tell")
