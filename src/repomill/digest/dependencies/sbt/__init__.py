"""sbt: ``build.sbt``, ``project/*.sbt`` and the Scala files of ``project/``.

A dependency is told under the file that writes it, ``project/AppDependencies.scala`` say, and is
needed for what the build as a whole uses it for: a list that ``build.sbt`` adds with ``% Test`` is
for development. What the build below ``project/`` depends on, plugins above all, is for building.
So is what is ``provided``, a compiler's plugin, or in a configuration that is the build's own.

Names in package URLs carry the suffix of the Scala version (``_2.13``) that ``%%`` stands for,
where all of the build's ``scalaVersion`` settle on one; and those of plugins that of sbt, which
``project/build.properties`` tells. Where they do not, the name is the plain one. Versions are
exact, unless they are Ivy's ranges: https://www.scala-sbt.org/1.x/docs/Library-Dependencies.html.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from packageurl import PackageURL

from repomill.digest.dependencies.base import Contents, Dependency, ManifestError, Scope
from repomill.digest.dependencies.sbt.artifacts import (
    of_play,
    only,
    plugin_suffix,
    scala_of,
    suffix,
)
from repomill.digest.dependencies.sbt.names import MAX_STEPS_TOGETHER, Budget
from repomill.digest.dependencies.sbt.scala_source import parse
from repomill.digest.dependencies.sbt.settings import Added, Settings
from repomill.digest.dependencies.sbt.values import Evaluation
from repomill.digest.names import cut

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from repomill.digest.dependencies.base import Files
    from repomill.digest.dependencies.sbt.names import Module
    from repomill.digest.dependencies.sbt.scala_tree import Block

NAME = "sbt"
FILE_NAMES = r".+\.(?:sbt|scala)"
LOCK_NAMES = ""

MAX_SOURCE_BYTES = 128 << 10
"""Of one file; sbt's own build, which is the largest known, is half of that."""
_PROJECT = "project"
_PROPERTIES = "build.properties"
_ENDINGS = (".sbt", ".scala", f"{_PROJECT}/{_PROPERTIES}")
_SOURCES = frozenset({"app", "it", "src", "test"})
_SBT_VERSION = re.compile(r"^\s*+sbt\.version\s*+[=:]\s*+(\d++(?:\.\d++)*+)", re.MULTILINE)
_NAME = re.compile(r"[\w.+-]{1,200}+")
_SCALA_ORGANIZATION = "org.scala-lang"
_MAX_VERSION = 200
_RANGE = re.compile(r"[\[\](),\s]|\+$|^latest\.")

_RUNTIME = frozenset({"compile", "default", "runtime", "*"})
_DEVELOPMENT = re.compile(r"(?:.*[-_ ])?(?:it|jmh|bench\w*|\w*tests?)", re.IGNORECASE)


def claims(path: str) -> bool:
    """Whether *path* is of a build: Scala files are, directly in a folder ``project``."""
    if path.endswith(".sbt"):
        return True
    *folders, folder, _name = ["", *path.split("/")]
    return folder == _PROJECT and _SOURCES.isdisjoint(folders)


def read(path: str, files: Files) -> Contents:
    """Return what the file at *path* adds to its build. Raises ManifestError."""
    return files.once(_Builds).contents(path)


class _Builds:
    """All builds of a commit; each is worked out when one of its files is asked for."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._paths: dict[str, list[str]] = defaultdict(list)
        self._builds: dict[str, _Build] = {}
        paths = [path for path in files if path.endswith(_ENDINGS) and claims(path)]
        folders = {posixpath.dirname(path) for path in paths}
        self._roots = {
            posixpath.dirname(folder)
            for folder in folders
            if posixpath.basename(folder) == _PROJECT
        }
        for path in paths:
            if not path.endswith(_PROPERTIES):
                self._paths[self._root(path, posixpath.dirname(path))].append(path)

    def contents(self, path: str) -> Contents:
        return self._build(self._root(path, posixpath.dirname(path))).contents(path)

    def _build(self, root: str) -> _Build:
        if root not in self._builds:
            self._builds[root] = self._worked_out(root)
        return self._builds[root]

    def _worked_out(self, root: str) -> _Build:
        is_meta = posixpath.basename(root) == _PROJECT
        plugins = () if is_meta else self._build(posixpath.join(root, _PROJECT)).plugins
        properties = posixpath.join(root, "" if is_meta else _PROJECT, _PROPERTIES)
        try:
            sbt = self._files.parsed(properties, _sbt_version)
        except ManifestError:
            sbt = None
        return _Build(self._files, root, self._paths[root], sbt=sbt, plugins=plugins)

    def _root(self, path: str, folder: str) -> str:
        """Return the folder of the build that *path* in *folder* belongs to.

        The build's definition, in ``project/``, is a build itself, of which the files ``*.sbt``
        there are part; the Scala files there are part of what they define. What lies among
        sources, samples and tests of plugins, is no part of a build above it.
        """
        if posixpath.basename(folder) == _PROJECT:
            return folder if path.endswith(".sbt") else posixpath.dirname(folder)
        above = folder
        while above and above not in self._roots:
            if posixpath.basename(above) in _SOURCES:
                return folder
            above = posixpath.dirname(above)
        return above if above in self._roots else folder


def _sbt_version(text: str) -> str | None:
    match = _SBT_VERSION.search(text)
    return match[1] if match else None


def _budget_of_all(_files: Files) -> Budget:
    return Budget(MAX_STEPS_TOGETHER)


class _Build:
    """What the files of one build say, all together."""

    def __init__(
        self,
        files: Files,
        root: str,
        paths: Sequence[str],
        *,
        sbt: str | None,
        plugins: Sequence[Module],
    ) -> None:
        self._root = root
        self._budget = Budget(together=files.once(_budget_of_all))
        self._is_meta = posixpath.basename(root) == _PROJECT
        self._sbt = sbt
        self._errors: dict[str, str] = {}
        self._found: list[Added] = []
        self._problems: dict[str, list[str]] = defaultdict(list)
        self._scala: str | None = None
        blocks: dict[str, Block] = {}
        for path in paths:
            try:
                blocks[path] = files.parsed(path, parse, MAX_SOURCE_BYTES)
            except ManifestError as error:
                self._errors[path] = str(error)
        try:
            self._work_out(blocks, plugins)
        except RecursionError:
            self._errors |= dict.fromkeys(blocks, "nested too deeply")
        except ManifestError as error:
            self._errors |= dict.fromkeys(blocks, str(error))
        self._dependencies: dict[str, list[Dependency]] = defaultdict(list)
        for found in _settled(self._found):
            self._dependencies[found.module.path].append(self._dependency(found))

    @property
    def plugins(self) -> list[Module]:
        return [found.module for found in self._found if found.is_plugin]

    def contents(self, path: str) -> Contents:
        if path in self._errors:
            raise ManifestError(self._errors[path])
        return Contents(
            dependencies=self._dependencies.get(path, ()), problems=self._problems.get(path, ())
        )

    def _work_out(self, blocks: Mapping[str, Block], plugins: Sequence[Module]) -> None:
        objects = {
            definition.name: (definition, path)
            for path, block in blocks.items()
            if path.endswith(".scala")
            for definition in block.scope.names.values()
        }
        evaluation = Evaluation(objects, of_play(plugins), self._budget)
        settings = Settings(evaluation, blocks)
        self._scala = scala_of(self._sbt) if self._is_meta else self._version(settings)
        if self._scala is not None and self._scala.count(".") > 1:
            evaluation.learn("scalaVersion", self._scala)
        organizations = {name for _, name in settings.strings("scalaOrganization")}
        if len(organizations) < 2:  # noqa: PLR2004 else it differs
            evaluation.learn("scalaOrganization", *(organizations or {_SCALA_ORGANIZATION}))
        self._found = settings.dependencies(is_whole=not self._errors)
        for (path, _), name in evaluation.unnamed.items():
            if name:
                self._problems[path].append(f"{cut(name, 100)}: group or name is not written out")
        for path, name in settings.unknown:
            self._problems[path].append(f"nothing says what {cut(name, 100)} is")

    def _version(self, settings: Settings) -> str | None:
        """Return the Scala version of the build: that of its own folder, before those below."""
        versions = settings.strings("scalaVersion")
        own = {self._root, posixpath.join(self._root, _PROJECT)}
        top = [version for path, version in versions if posixpath.dirname(path) in own]
        return only(top or [version for _, version in versions])

    def _dependency(self, found: Added) -> Dependency:
        module = found.module
        version = module.version or ""
        if len(version) > _MAX_VERSION:
            version = ""
        classifier = module.classifier if _NAME.fullmatch(module.classifier) else ""
        is_exact = version != "" and not _RANGE.search(version)
        ending = plugin_suffix(self._sbt) if found.is_plugin else suffix(module, self._scala)
        return Dependency(
            name=f"{module.organization}:{module.name}",
            package=PackageURL(
                "maven",
                module.organization,
                module.name + ending,
                qualifiers={"classifier": classifier},
            ),
            requirement=version,
            scope=Scope.BUILD if self._is_meta else _scope(found.configuration),
            resolved=version if is_exact else None,
        )


def _settled(found: Iterable[Added]) -> list[Added]:
    """Leave out what is no name, and what is said without a version where it is with one, too."""
    found = list(dict.fromkeys(found))
    with_version = {(one.module.path, one.module.node) for one in found if one.module.version}
    return [
        one
        for one in found
        if _NAME.fullmatch(one.module.organization)
        and _NAME.fullmatch(one.module.name)
        and (one.module.version or (one.module.path, one.module.node) not in with_version)
    ]


def _scope(configuration: str) -> Scope:
    """Return what a dependency in *configuration* is for.

    >>> [str(_scope(text)) for text in ("", "it,test", "test->test", "compile->compile;test->test")]
    ['runtime', 'development', 'development', 'runtime']
    """
    names = {
        part.partition("->")[0].strip().lower() for part in re.split("[;,]", configuration)
    } - {""}
    if not names or names & _RUNTIME:
        return Scope.RUNTIME
    if "optional" in names:
        return Scope.OPTIONAL
    if all(_DEVELOPMENT.fullmatch(name) for name in names):
        return Scope.DEVELOPMENT
    return Scope.BUILD
