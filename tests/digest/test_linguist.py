"""Where files come from, by their paths."""

import pytest

from repomill.digest.attributes import Marks
from repomill.digest.linguist import Nature, nature


@pytest.mark.parametrize(
    "path",
    [
        *("node_modules/a/b.js", "lib/node_modules/a.js", "vendor/a.rb", "a/Vendor/b.c"),
        *("bower_components/a.js", "third_party/a.c", "src/ThirdParty/a.c", "3rd-party/a.c"),
        *("Godeps/a.go", ".yarn/releases/yarn-4.cjs", "a-1.0.dist-info/METADATA"),
        *("gradlew", "gradle/wrapper/gradle-wrapper.properties", ".mvn/wrapper/a.jar", "mvnw.cmd"),
        *("a/jquery.js", "jquery-3.6.0.js", "jquery.ui.core.js", "jquery3.js", "d3.v7.js"),
        *("bootstrap.css", "bootstrap-theme.css", "bootstrap.bundle.js", "modernizr.custom.2.js"),
        *("modernizr.js", "html5shiv.js", "react.production.min.js", "react-dom-18.js"),
        *("a.min.js", "a-min.css", "types/a.d.ts", "configure", "aclocal.m4"),
        *("spec/fixtures/a.json", "Tests/Fixtures/A.php", "pkg/testdata/a.go"),
        *("packages/jQuery.1.4.4/a.cs", "Pods.framework/a.h", "node_modules/dist/README.md"),
    ],
)
def test_copies_and_fixtures_are_vendored(path):
    assert nature(path) is Nature.VENDORED


@pytest.mark.parametrize(
    "path",
    [
        *("package-lock.json", "a/yarn.lock", "Gemfile.lock", "Cargo.lock", "uv.lock", "go.sum"),
        *("pnpm-lock.yaml", ".terraform.lock.hcl", ".pnp.cjs", "packages.lock.json"),
        *(
            "api/a.pb.go",
            "a_pb2.py",
            "a_pb2_grpc.py",
            "A.Designer.cs",
            "a.g.dart",
            "zz_generated.a.go",
        ),
        *(
            "a/__snapshots__/b.test.js.snap",
            "src/__generated__/a.ts",
            "api.gen.go",
            "a.generated.ts",
        ),
        *("db/schema.rb", "a/db/structure.sql", "db/queue_schema.rb", "spec/cassettes/a.yml"),
        *("a.js.map", "dist/a.js", "A.feature.cs", "sorbet/rbi/gems/a.rbi", ".idea/a.xml"),
    ],
)
def test_what_programs_write_is_generated(path):
    assert nature(path) is Nature.GENERATED


@pytest.mark.parametrize(
    "path",
    [
        *("docs/a.rb", "doc/a.md", "examples/a.py", "Documentation/a.rst", "src/javadoc/a.html"),
        *("README.md", "a/readme", "LICENCE", "License.txt", "CHANGELOG.md", "CHANGES"),
        *("CONTRIBUTING.md", "INSTALL", "CITATION.cff"),
    ],
)
def test_documents_are_documentation(path):
    assert nature(path) is Nature.DOCUMENTATION


@pytest.mark.parametrize(
    "path",
    [
        *("a.rb", "app/docs/a.rb", "lib/cache/a.rb", "env/prod/main.tf", "src/external/A.java"),
        *(".github/workflows/ci.yml", "Jenkinsfile", "config/bootstrap.js", "components/chart.js"),
        *("lib/install.rb", "views/change.html", "schema.rb", "gen", "a.gen", "vendored.rb"),
        *("src/react.js", "_import.scss", "packages/core/a.js", "mydb/schema.rb", "jquerya.py", ""),
    ],
)
def test_what_a_team_may_have_written_is_source(path):
    assert nature(path) is Nature.SOURCE


@pytest.mark.parametrize(
    ("path", "marks", "expected"),
    [
        ("vendor/a.rb", Marks(vendored=False), Nature.SOURCE),
        ("a.rb", Marks(vendored=True), Nature.VENDORED),
        ("vendor/a.pb.go", Marks(vendored=False), Nature.GENERATED),
        ("a.rb", Marks(generated=True, documentation=True), Nature.GENERATED),
        ("docs/a.rb", Marks(documentation=False), Nature.SOURCE),
        ("docs/a.rb", Marks(language="Ruby"), Nature.DOCUMENTATION),
    ],
)
def test_attributes_win_over_paths(path, marks, expected):
    assert nature(path, marks) is expected


def test_a_hostile_name_is_read_in_one_way_only():
    # With two ways for each number it would take longer than the world has been there.
    name = "lodash" + "-1" * 2_000 + "!.js"

    assert nature(name) is Nature.SOURCE
    assert nature("lib/lodash-4.17.21.min.js") is Nature.VENDORED
    assert nature("lib/jquery-ui-1.12.1-rc2.js") is Nature.VENDORED
