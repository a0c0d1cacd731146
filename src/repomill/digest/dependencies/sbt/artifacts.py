"""What sbt and its best-known plugin call artifacts: suffixes of versions, Play's short names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from repomill.digest.dependencies.sbt.names import Module, Value

_RELEASE = re.compile(r"(\d+\.\d+)\.\d+")
_SERIES = re.compile(r"(\d{1,3}+)\.(\d{1,3}+)\.")
_SCALA_OF = {"0": "2.10", "1": "2.12", "2": "3"}
"""The Scala that builds are written in, by sbt's first number."""
_PLUGIN_SUFFIXES = {"0": "_2.10_0.13", "1": "_2.12_1.0", "2": "_sbt2_3"}

# What Play's plugin gives short names to, in sbt-plugin's PlayImport.scala.
_PLAY = {
    "akkaHttpServer": "play-akka-http-server",
    "cacheApi": "play-cache",
    "caffeine": "play-caffeine-cache",
    "clusterSharding": "play-cluster-sharding",
    "ehcache": "play-ehcache",
    "evolutions": "play-jdbc-evolutions",
    "filters": "play-filters-helpers",
    "guice": "play-guice",
    "javaClusterSharding": "play-java-cluster-sharding",
    "javaCore": "play-java",
    "javaForms": "play-java-forms",
    "javaJdbc": "play-java-jdbc",
    "javaJpa": "play-java-jpa",
    "javaWs": "play-ahc-ws",
    "jcache": "play-jcache",
    "jdbc": "play-jdbc",
    "jodaForms": "play-joda-forms",
    "logback": "play-logback",
    "nettyServer": "play-netty-server",
    "openId": "play-openid",
    "pekkoHttpServer": "play-pekko-http-server",
    "playCore": "play",
    "playTest": "play-test",
    "specs2": "play-specs2",
    "ws": "play-ahc-ws",
}
_PLAY_BEFORE = {
    (2, 9): {"filters": "filters-helpers", "cache": "play-ehcache"},
    (2, 6): {
        "cache": "play-cache",
        "javaWs": "play-java-ws",
        "json": "play-json",
        "ws": "play-ws",
    },
}
"""Other names that earlier versions have."""
_PLAY_GROUPS = frozenset({"com.typesafe.play", "org.playframework"})


def of_play(plugins: Iterable[Module]) -> dict[str, Value]:
    """Return what Play's plugin defines, if one version of it is among *plugins*."""
    found = {
        (plugin.organization, plugin.version): plugin
        for plugin in plugins
        if plugin.organization in _PLAY_GROUPS and plugin.name == "sbt-plugin"
    }
    if len(found) != 1:
        return {}
    ((_, version),) = found
    series = _SERIES.match(version or "")
    if version is None or series is None:
        return {}
    artifacts = dict(_PLAY)
    for before, names in _PLAY_BEFORE.items():
        if (int(series[1]), int(series[2])) < before:
            artifacts |= names
    (plugin,) = found.values()
    component = plugin._replace(node=-1, separator="%%", parts=3, configuration="")
    known: dict[str, Value] = {"PlayVersion.current": version}
    for name, artifact in artifacts.items():
        known[name] = known[f"PlayImport.{name}"] = component._replace(name=artifact)
    return known


def only(versions: Iterable[str]) -> str | None:
    """Return the version they agree on: the whole of it, or only which series it is."""
    versions = set(versions)
    if len(versions) == 1:
        return versions.pop()
    series = {binary(version) for version in versions}
    return series.pop() if len(series) == 1 else None


def binary(version: str | None) -> str:
    """Return the part of a Scala *version* that artifacts are named by."""
    if version is None:
        return ""
    if version.startswith("3"):
        return "3"
    match = _RELEASE.fullmatch(version)
    return match[1] if match else version


def scala_of(sbt: str | None) -> str | None:
    """Return the Scala version that builds are written in for *sbt*."""
    return None if sbt is None else _SCALA_OF.get(sbt.partition(".")[0])


def plugin_suffix(sbt: str | None) -> str:
    """Return what the names of plugins for *sbt* end in; nothing where it is not known."""
    return "" if sbt is None else _PLUGIN_SUFFIXES.get(sbt.partition(".")[0], "")


def suffix(module: Module, scala: str | None) -> str:
    """Return what the name of *module* ends in for *scala*, as far as that is settled.

    https://www.scala-sbt.org/1.x/docs/Cross-Build.html.
    """
    if module.cross in {"for3Use2_13", "for2_13Use3"}:
        return "_2.13" if module.cross == "for3Use2_13" else "_3"
    if scala is None:
        return ""
    if module.cross in {"full", "patch"}:
        return f"_{scala}" if scala.count(".") > 1 else ""
    return f"_{binary(scala)}" if module.separator == "%%" or module.cross == "binary" else ""
