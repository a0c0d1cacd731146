"""Which files a team did not write, and which explain: by path, as GitHub's linguist sees it.

Rules of our own after what linguist documents (vendor.yml, documentation.yml, generated.rb). Left
out are those of its rules that mostly meet what a team wrote itself: ``cache/``, ``env/`` and
``external/`` are common names of packages and of Terraform's folders; ``.github/``, a Jenkinsfile
and a Vagrantfile tell how a project is built; ``*import.scss`` is a style sheet like any other.
Added are db/schema.rb and its kin, snapshots, cassettes and the names that code generators use.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

from repomill.digest.attributes import UNMARKED, Marks


class Nature(StrEnum):
    """Where a file comes from; the first that applies."""

    VENDORED = "vendored"
    """Somebody else's, copied; fixtures of tests count as well, as on GitHub."""
    GENERATED = "generated"
    """Written by a program."""
    DOCUMENTATION = "documentation"
    SOURCE = "source"


# Folders anywhere, in lower case. With a slash: two that follow each other.
_VENDORED_FOLDERS = frozenset(
    """
    .yarn/cache .yarn/plugins .yarn/releases .yarn/sdks .yarn/unplugged .yarn/versions
    bower_components jspm_packages node_modules flow-typed
    3rd-party 3rd_party 3rdparty third-party third_party thirdparty
    vendor vendors vvendor extern externals godeps site-packages
    carthage puphpet sparkle xvba_modules _esy
    ace-builds bootstrap-datepicker ckeditor extjs font-awesome fontawesome mathjax select2
    tiny_mce tinymce
    codemirror/addon codemirror/keymap codemirror/lib codemirror/mode codemirror/theme
    .mvn/wrapper gradle/wrapper inst/extdata
    spec/fixtures specs/fixtures test/fixtures tests/fixtures testdata
    admin_media docs/_static docs/_themes doc/_static doc/_themes
    """.split()  # noqa: SIM905 names in a row are read best
)
_VENDORED_FOLDER_ENDS = (".dist-info", ".egg-info", ".framework", ".xctemplate", ".imageset")
_GENERATED_FOLDERS = frozenset(
    """
    __generated__ __snapshots__ .idea .openapi-generator dist htmlcov pods storybook-static
    cassettes vcr_cassettes docs/_build doc/_build
    rbi/annotations rbi/dsl rbi/gems
    """.split()  # noqa: SIM905 names in a row are read best
)
_DOCUMENTATION_FOLDERS = frozenset({"documentation", "groovydoc", "inst/doc", "javadoc"})
_DOCUMENTATION_TOP_FOLDERS = frozenset(
    {"demo", "demos", "doc", "docs", "examples", "man", "sample", "samples"}
)
_NUGET_PACKAGE = re.compile(r"packages/.+\.\d+\Z", re.DOTALL)

_VENDORED_NAMES = frozenset(
    """
    aclocal.m4 activator activator.bat config.guess config.sub configure cpplint.py
    dotnet-install.ps1 dotnet-install.sh erlang.mk ez_setup.py get-pip.py gradlew gradlew.bat
    libtool.m4 ltmain.sh ltoptions.m4 ltsugar.m4 ltversion.m4 lt~obsolete.m4 mvnw mvnw.cmd
    rebar versioneer.py waf
    """.split()  # noqa: SIM905 names in a row are read best
)
_VENDORED_ENDS = (
    ".min.js", "-min.js", ".min.mjs", ".min.cjs", ".min.css", "-min.css",
    ".d.ts", "-vsdoc.js", ".intellisense.js",
)  # fmt: skip
_GENERATED_NAMES = frozenset(
    """
    .secrets.baseline .terraform.lock.hcl bun.lock bun.lockb cabal.project.freeze cargo.lock
    cargo.toml.orig chart.lock composer.lock conda-lock.yml deno.lock flake.lock gemfile.lock
    glide.lock go.sum go.work.sum gopkg.lock gradle.lockfile mise.lock mix.lock module.bazel.lock
    npm-shrinkwrap.json package-lock.json package.resolved packages.lock.json pdm.lock pipfile.lock
    pixi.lock pnpm-lock.yaml podfile.lock poetry.lock project.assets.json project.pbxproj
    pubspec.lock rebar.lock shard.lock stack.yaml.lock uv.lock yarn.lock
    .pnp.cjs .pnp.js .pnp.loader.mjs .pnp.data.json wire_gen.go
    """.split()  # noqa: SIM905 names in a row are read best
)
_GENERATED_ENDS = (
    ".designer.cs", ".designer.vb", ".feature.cs", ".g.cs", ".g.i.cs", "modelsnapshot.cs",
    ".freezed.dart", ".g.dart", ".gr.dart", ".pb.dart", ".pbenum.dart", ".pbjson.dart",
    ".pb.cc", ".pb.go", ".pb.gw.go", ".pb.h", ".pb.swift", ".grpc.swift",
    "_pb.d.ts", "_pb.js", "_pb.rb", "_pb.ts", "_pb2.py", "_pb2.pyi", "_pb2_grpc.py",
    ".css.map", ".js.map", ".mjs.map", ".snap", ".tsbuildinfo",
    ".nib", ".xcuserstate", ".xcworkspacedata", "_tlb.pas", ".zep.c", ".zep.h", ".zep.php",
)  # fmt: skip
_GENERATED_INFIXES = (["gen"], ["generated"])
"""Before the suffix: api.gen.go."""
_SCHEMA = re.compile(r"(?:.+_)?(?:schema\.rb|structure\.sql)\Z", re.DOTALL)
"""In db/: what Rails writes when it migrates."""

_WEB_ENDS = (".js", ".mjs", ".css", ".less", ".sass", ".scss", ".styl")
# Without the marks between its numbers, which the expressions below take: so there is one way only
# to read a name.
_LIBRARY_RELEASE = (
    r"v?\d\w*|(?:alpha|beta|rc)\d*|all|bundle|core|custom|debug|full|min|pack|slim|src|theme"
)
_LIBRARY = re.compile(
    rf"""
    (?: jquery (?: [-.] | (?=\d) ) .*      # its plugins are called jquery.NAME.js
      | (?: jquery | jquery-ui | angular(?:-\w+)* | animate | backbone | bootbox
          | bootstrap-\w+ | bourbon | bulma | ckeditor | cordova | d3 | dojo | dragdrop
          | ember | ext-all | font-?awesome | foundation | fuelux | handlebars | highcharts
          | html5shiv | knockout | leaflet | lodash | materialize | mochikit | modernizr
          | mootools | normalize | pdf\.worker | raphael | select2 | shbrush\w* | shcore
          | skeleton | slick | swfobject | tiny_?mce | underscore | yahoo-\w+ | yui\w* | zepto )
        (?: [-.] (?: {_LIBRARY_RELEASE} ) )*
        # What a team may call a file of its own is the library's with a release alone.
      | (?: bootstrap | chart | hammer | moment | mustache | prototype | react(?:-dom)? | require
          | respond | vue )
        (?: [-.] (?: {_LIBRARY_RELEASE} ) )+
      | bootstrap (?= \.(?:css|less|scss) )
    ) \.\w+ \Z
    """,
    re.VERBOSE | re.DOTALL,
)
# In small letters an install.py or a change.html is code.
_DOCUMENT = re.compile(
    r"(?:CITATIONS?|CHANGE(?:S|LOG)?|CONTRIBUTING|COPYING|INSTALL|(?i:licen[cs]e|readme))(?:\.|\Z)"
)


def nature(path: str, marks: Marks = UNMARKED) -> Nature:
    """Return what the file *path* is; what its attributes say wins over what its path says.

    >>> [str(nature(path)) for path in ("lib/a.rb", "vendor/a.rb", "yarn.lock", "docs/a.rb")]
    ['source', 'vendored', 'generated', 'documentation']
    """
    folder, _, name = path.rpartition("/")
    found = _of_folder(folder.lower()) + _of_name(name, in_db=folder.rpartition("/")[2] == "db")
    if marks is UNMARKED:
        return min(found, key=_PLACE.__getitem__) if found else Nature.SOURCE
    for kind in _MARKED:
        stated = getattr(marks, kind.value)
        if kind in found if stated is None else stated:
            return kind
    return Nature.SOURCE


_MARKED = (Nature.VENDORED, Nature.GENERATED, Nature.DOCUMENTATION)
_PLACE = {kind: place for place, kind in enumerate(_MARKED)}


@lru_cache(maxsize=1 << 16)
def _of_folder(folder: str) -> tuple[Nature, ...]:
    """Return what holds for all that lies in *folder*, which is in lower case."""
    if not folder:
        return ()
    parts = folder.split("/")
    pairs = [f"{parent}/{child}" for parent, child in pairwise(parts)]
    names = {*parts, *pairs}
    found = []
    if not _VENDORED_FOLDERS.isdisjoint(names) or _is_vendored_by_shape(parts, pairs):
        found.append(Nature.VENDORED)
    if not _GENERATED_FOLDERS.isdisjoint(names):
        found.append(Nature.GENERATED)
    if parts[0] in _DOCUMENTATION_TOP_FOLDERS or not _DOCUMENTATION_FOLDERS.isdisjoint(names):
        found.append(Nature.DOCUMENTATION)
    return tuple(found)


def _is_vendored_by_shape(parts: list[str], pairs: list[str]) -> bool:
    return any(part.endswith(_VENDORED_FOLDER_ENDS) for part in parts) or any(
        pair.startswith("packages/") and _NUGET_PACKAGE.match(pair) for pair in pairs
    )


@lru_cache(maxsize=1 << 16)
def _of_name(name: str, *, in_db: bool) -> tuple[Nature, ...]:
    """Return what holds for a file of this *name*, in folders of which the last is db, or not."""
    lower = name.lower()
    found = []
    if lower in _VENDORED_NAMES or _is_library(lower):
        found.append(Nature.VENDORED)
    if _is_generated_name(lower) or (in_db and _SCHEMA.match(lower)):
        found.append(Nature.GENERATED)
    if _DOCUMENT.match(name):
        found.append(Nature.DOCUMENTATION)
    return tuple(found)


def _is_library(name: str) -> bool:
    if name.endswith(_VENDORED_ENDS):
        return True
    return name.endswith(_WEB_ENDS) and _LIBRARY.match(name) is not None


def _is_generated_name(name: str) -> bool:
    return (
        name in _GENERATED_NAMES
        or name.endswith(_GENERATED_ENDS)
        or name.startswith("zz_generated.")
        or (".gen" in name and name.split(".")[-2:-1] in _GENERATED_INFIXES)
    )
