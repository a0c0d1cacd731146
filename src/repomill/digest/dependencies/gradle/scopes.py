"""What the configurations of a Gradle build are for: by their names, and by what extends what.

Source: https://docs.gradle.org/current/userguide/java_plugin.html#tab:configurations, and the
names that the plugins for Kotlin, Android and Spring Boot use.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from repomill.digest.dependencies.base import Scope

if TYPE_CHECKING:
    from collections.abc import Iterable

_TEST = re.compile(r"(?:(?<![A-Za-z])test|Test)(?:s|ing)?(?![a-z])")
_OF_SOURCES = re.compile(
    r"(\w+?)(?:Implementation|Api|CompileOnly|RuntimeOnly|Compile|Runtime|AnnotationProcessor)"
)
_AT_RUN_TIME = ("implementation", "api", "runtimeonly", "compile")
_AT_BUILD_TIME = ("classpath", "compileOnly", "kapt", "ksp", "lint", "provided")
_FOR_DEVELOPERS = (
    *("benchmark", "cucumber", "debug", "developmentOnly", "gatling", "jmh", "mockito"),
)
_MAX_STEPS = 20
_MAX_CHARACTERS = 200


def is_of_tests(name: str) -> bool:
    """Whether *name* is that of something for tests.

    >>> [is_of_tests(name) for name in ("testApi", "integrationTest", "redis_test", "latestApi")]
    [True, True, True, False]
    """
    return _TEST.search(name) is not None


class Scopes:
    """What each configuration is for; *extends* are pairs of one and another that it extends.

    >>> scopes = Scopes([("aatImplementation", "testImplementation"), ("implementation", "tools")])
    >>> [scopes.of(name).value for name in ("tools", "aatRuntimeOnly", "compileOnlyApi", "kapt")]
    ['runtime', 'development', 'build', 'build']
    """

    def __init__(self, extends: Iterable[tuple[str, str]]) -> None:
        self._extended_by: dict[str, dict[str, None]] = {}
        self._known: dict[str, Scope | None] = {}
        self._sources_of_tests = set()
        for configuration, extended in extends:
            self._extended_by.setdefault(extended, {})[configuration] = None
            sources = _OF_SOURCES.fullmatch(configuration[:_MAX_CHARACTERS])
            if sources and is_of_tests(extended):
                self._sources_of_tests.add(sources[1])

    def known(self, configuration: str) -> Scope | None:
        """Return what *configuration* is for; None where neither name nor extension tells."""
        if configuration not in self._known:
            self._known[configuration] = self._find(configuration)
        return self._known[configuration]

    def of(self, configuration: str) -> Scope:
        """Return what *configuration* is for: for building, where nothing puts it elsewhere."""
        return self.known(configuration) or Scope.BUILD

    def _find(self, configuration: str) -> Scope | None:
        waiting = [configuration]
        scopes = []
        for one in islice(waiting, _MAX_STEPS):
            scope = self._by_name(one)
            if scope is None:
                waiting += islice(self._extended_by.get(one, ()), _MAX_STEPS)
            else:
                scopes.append(scope)
        return min(scopes, key=list(Scope).index, default=None)

    def _by_name(self, configuration: str) -> Scope | None:
        if len(configuration) > _MAX_CHARACTERS:
            return None
        sources = _OF_SOURCES.fullmatch(configuration)
        if sources and sources[1] in self._sources_of_tests:
            return Scope.DEVELOPMENT
        if is_of_tests(configuration) or configuration.startswith(_FOR_DEVELOPERS):
            return Scope.DEVELOPMENT
        if configuration.startswith(_AT_BUILD_TIME) or configuration.endswith("notationProcessor"):
            return Scope.BUILD
        if configuration.lower().endswith(_AT_RUN_TIME) or configuration == "runtime":
            return Scope.RUNTIME
        return None
