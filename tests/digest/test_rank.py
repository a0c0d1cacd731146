"""The order in which files are worth reading."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repomill.digest import linguist, rules
from repomill.digest.rank import Ranked, Ranking
from repomill.digest.rules import Rule
from repomill.model import Entry, Kind
from tests.digest.commits import PATHS, entry

KINDS = {
    # Rails
    "README.md": "readme",
    "Gemfile": "manifest",
    "Gemfile.lock": "generated",
    "config.ru": "settings",
    "Rakefile": "build and run",
    "Procfile": "build and run",
    "app/controllers/users_controller.rb": "core source",
    "app/models/user.rb": "core source",
    "app/models/concerns/sluggable.rb": "supporting source",
    "app/helpers/users_helper.rb": "source",
    "app/views/users/index.html.erb": "template or style",
    "app/assets/stylesheets/main.scss": "template or style",
    "app/assets/javascripts/users.js": "client-side source",
    "config/routes.rb": "routes",
    "config/application.rb": "entry point",
    "config/initializers/session_store.rb": "initializer",
    "config/locales/en.yml": "translation",
    "config/database.yml": "configuration",
    "db/migrate/20240101120000_create_users.rb": "migration",
    "db/schema.rb": "schema",
    "spec/models/user_spec.rb": "test",
    "spec/fixtures/user.json": "vendored",
    "cypress/fixtures/user.json": "fixture",
    "features/sign_in.feature": "test",
    ".rubocop.yml": "tool settings",
    "vendor/gems/a/lib/a.rb": "vendored",
    # Django and Python
    "pyproject.toml": "manifest",
    "requirements.txt": "manifest",
    "requirements/base.txt": "manifest",
    "manage.py": "entry point",
    "shop/wsgi.py": "entry point",
    "shop/urls.py": "routes",
    "shop/settings.py": "settings",
    "shop/settings/base.py": "settings",
    "shop/models.py": "core source",
    "shop/orders/services/refund.py": "core source",
    "shop/migrations/0001_initial.py": "migration",
    "shop/templates/shop/base.html": "template or style",
    "shop/tests/test_refund.py": "test",
    "conftest.py": "test",
    "analysis/trends.ipynb": "notebook",
    "tox.ini": "tool settings",
    # Play and sbt
    "build.sbt": "manifest",
    "project/plugins.sbt": "manifest",
    "project/AppDependencies.scala": "manifest",
    "conf/application.conf": "settings",
    "conf/app.routes": "routes",
    "conf/messages.cy": "translation",
    "app/connectors/TaxConnector.scala": "core source",
    "app/uk/gov/hmrc/tax/Utils.scala": "source",
    "it/TaxConnectorISpec.scala": "test",
    "test/controllers/TaxControllerSpec.scala": "test",
    # Spring and Gradle
    "pom.xml": "manifest",
    "build.gradle.kts": "manifest",
    "gradle/libs.versions.toml": "manifest",
    "gradlew": "vendored",
    "src/main/java/uk/gov/shop/ShopApplication.java": "entry point",
    "src/main/java/uk/gov/shop/service/Refunds.java": "core source",
    "src/main/resources/application.yml": "settings",
    "src/main/resources/db/migration/V1__init.sql": "migration",
    "src/test/java/uk/gov/shop/RefundsTest.java": "test",
    "src/main/resources/logback-spring.xml": "tool settings",
    # Node
    "package.json": "manifest",
    "package-lock.json": "generated",
    "server.js": "entry point",
    "src/index.ts": "entry point",
    "src/routes/users.ts": "source",
    "webpack.config.js": "build and run",
    "tsconfig.json": "tool settings",
    "eslint.config.mjs": "tool settings",
    "jest.config.js": "test",
    "cypress/e2e/login.cy.ts": "test",
    "node_modules/a/index.js": "vendored",
    "packages/ui/package.json": "manifest",
    # .NET
    "Shop.sln": "manifest",
    "src/Shop/Shop.csproj": "manifest",
    "src/Shop/Program.cs": "entry point",
    "src/Shop/appsettings.json": "settings",
    "src/Shop/Controllers/OrderController.cs": "core source",
    "src/Shop/Form.Designer.cs": "generated",
    # Go and Rust
    "go.mod": "manifest",
    "go.sum": "generated",
    "cmd/server/main.go": "entry point",
    "internal/store/store.go": "source",
    "internal/store/store_test.go": "test",
    "pkg/pb/api.pb.go": "generated",
    "Cargo.toml": "manifest",
    "src/lib.rs": "entry point",
    # Terraform, Kubernetes, containers
    "terraform/main.tf": "infrastructure",
    "terraform/variables.tf": "infrastructure",
    "namespaces/shop/rds.tf": "source",
    "helm/shop/values.yaml": "infrastructure",
    "helm/shop/Chart.yaml": "manifest",
    "Dockerfile": "build and run",
    "services/web/Dockerfile": "build and run",
    "docker-compose.yml": "build and run",
    "Makefile": "build and run",
    # What is written about it
    "docs/README.md": "readme",
    "packages/ui/README.md": "readme",
    "docs/architecture.md": "architecture",
    "docs/adr/0001-record.md": "decision",
    "docs/getting-started.md": "documentation",
    "docs/how/to/deploy.md": "documentation",
    "CONTRIBUTING.md": "contributing",
    "CHANGELOG.md": "history",
    "LICENSE": "legal",
    ".github/CODEOWNERS": "legal",
    ".github/workflows/ci.yml": "continuous integration",
    ".travis.yml": "continuous integration",
    "openapi.yaml": "API",
    "proto/shop.proto": "API",
    # The rest
    "data/postcodes.csv": "data",
    "lib/tasks/notes.txt": "text",
    "logo.png": "binary",
    "README.docx": "binary",
    "mystery.qqq": "other",
    ".gitignore": "tool settings",
    "examples/simple/a.py": "test",
}


def nothing(_sources: Iterator[Entry]) -> Mapping[bytes, int]:
    return {}


def ranking(
    entries: Sequence[Entry],
    pointed_at: Callable[[Iterator[Entry]], Mapping[bytes, int]] = nothing,
) -> Ranking:
    in_order = sorted(entries, key=lambda one: one.path)
    return Ranking(in_order, linguist.nature, pointed_at)


def best_first(*paths: str, size_bytes: int = 1_000) -> list[str]:
    """Return *paths*, best first, all of one size."""
    order = ranking([entry(path.encode(), size_bytes) for path in paths]).best_first()
    return [ranked.entry.path.decode() for ranked in order]


def ranked(one: Entry, *others: Entry) -> Ranked:
    """Return *one* as it is ranked among *others*."""
    return next(found for found in ranking([one, *others]).best_first() if found.entry == one)


@pytest.mark.parametrize(("path", "kind"), KINDS.items(), ids=KINDS)
def test_a_path_tells_the_kind_of_a_file(path, kind):
    assert ranked(entry(path.encode())).rule.kind == kind


def test_letters_large_or_small_make_no_difference_to_a_kind():
    kinds = [
        ranked(entry(path)).rule.kind for path in (b"ReadMe.MD", b"DOCS/ADR/1.md", b"MAKEFILE")
    ]

    assert kinds == ["readme", "decision", "build and run"]


def test_a_link_and_an_empty_file_are_that_and_nothing_else():
    assert ranked(entry(b"README.md", 9, Kind.LINK)).rule is rules.LINK
    assert ranked(entry(b"README.md", 0)).rule is rules.EMPTY
    assert ranked(entry(b"README.md", None)).rule is rules.EMPTY


def test_what_attributes_say_of_a_file_goes_before_its_name():
    (found,) = Ranking(
        [entry(b"README.md")], lambda _path: linguist.Nature.GENERATED, nothing
    ).best_first()

    assert found.rule.kind == "generated"


def test_documentation_that_no_rule_knows_is_text():
    assert ranked(entry(b"man/repomill.1")).rule.kind == "text"
    assert ranked(entry(b"repomill.1")).rule.kind == "other"


def test_the_best_come_in_the_order_that_a_reader_would_take():
    order = [
        "README.md",
        "package.json",
        "docs/architecture.md",
        "server.js",
        "Dockerfile",
        "app/services/tax.js",
        "lib/rates.js",
        "test/rates.test.js",
        "test/fixtures/rates.json",
        "package-lock.json",
        "vendor/jquery.js",
    ]

    assert best_first(*sorted(order)) == order


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("README.md", "docs/README.md"),
        ("docs/README.md", "packages/ui/README.md"),
        ("package.json", "packages/ui/package.json"),
        ("lib/a.py", "lib/deep/down/b.py"),
        ("lib/a.py", "README.png"),
        ("app/models/user.rb", "lib/user.rb"),
        ("lib/user.rb", "db/migrate/1_users.rb"),
        ("src/user.ts", "src/user.test.ts"),
        ("src/user.ts", "src/user.css"),
        ("src/user.css", "data/users.csv"),
        ("docs/setup.md", "LICENSE"),
    ],
)
def test_one_comes_before_the_other(better, worse):
    assert best_first(better, worse) == best_first(worse, better) == [better, worse]


def test_of_two_alike_the_smaller_comes_first():
    small, large = entry(b"conf/b.yml", 1_000), entry(b"conf/a.yml", 500_000)

    assert [one.entry for one in ranking([small, large]).best_first()] == [small, large]


def test_a_large_file_of_code_does_not_step_back():
    assert "size" not in ranked(entry(b"lib/a.py", 500_000)).adjustments


def test_code_about_what_other_code_is_about_comes_first():
    names = ("account.rb", "form.rb", "form_submission.rb", "zebra.rb")
    files = [entry(f"app/models/{name}".encode()) for name in names]
    files.append(entry(b"app/services/FormService.java"))

    order = [one.entry.path for one in ranking(files).best_first()]

    assert order[0] == b"app/models/form.rb"
    assert ranked(*files[1:]).adjustments["its subject"] > 0
    assert "its subject" not in ranked(files[0], *files[1:]).adjustments


def test_code_of_one_kind_loses_no_more_than_so_much_to_its_like():
    files = [entry(b"lib/%04d.py" % number) for number in range(3_000)]

    costs = [one.adjustments.get("like others", 0) for one in ranking(files).best_first()]

    assert min(costs) == -200


def test_files_that_are_alike_come_by_path():
    assert best_first("c.py", "a.py", "b.py") == ["a.py", "b.py", "c.py"]


# Families.


def test_two_thousand_environments_do_not_crowd_out_ten_other_files():
    alike = [f"namespaces/env-{number:04}/main.tf" for number in range(2_000)]
    own = [
        *("cmd/sync.go", "cmd/list.go", "pkg/api/client.go", "pkg/api/types.go", "pkg/store/s3.go"),
        *("lib/check.rb", "lib/report.rb", "lib/rules/quota.rb", "bin/apply.rb", "web/page.js"),
    ]

    first = best_first(*alike, *own)[:60]

    assert set(own) <= set(first)
    assert first[0].endswith("main.tf")  # one of them speaks for all


def test_of_many_migrations_few_come_before_other_kinds_of_its_points():
    order = best_first(*(f"db/migrate/{n:03}_change.rb" for n in range(300)), "mystery.qqq")

    assert order.index("mystery.qqq") < 9


def test_each_doubling_of_those_alike_costs_the_same_again():
    files = [entry(b"conf/%03d.yml" % number) for number in range(64)]

    costs = [one.adjustments.get("like others", 0) for one in ranking(files).best_first()]

    assert costs == sorted(costs, reverse=True)
    steps = [costs[2 * place] - costs[place] for place in (1, 2, 4, 8, 16)]
    assert set(steps) == {steps[0]}
    assert steps[0] < 0


def test_a_file_that_stands_alone_loses_nothing():
    assert "like others" not in ranked(entry(b"lib/a.py"), entry(b"README.md")).adjustments


# What points at a file, and its language.


def test_a_file_that_others_point_at_comes_before_its_like():
    files = [entry(b"lib/a.py"), entry(b"lib/b.py"), entry(b"lib/c.py")]

    order = ranking(files, lambda _sources: {b"lib/c.py": 3, b"lib/b.py": 1}).best_first()

    assert [one.entry.path for one in order] == [b"lib/c.py", b"lib/b.py", b"lib/a.py"]


@pytest.mark.parametrize(("sources", "bonus"), [(1, 50), (2, 75), (3, 75), (4, 100), (48, 175)])
def test_the_more_files_point_at_it_the_more_it_is_worth(sources, bonus):
    (found,) = ranking([entry(b"lib/a.py")], lambda _sources: {b"lib/a.py": sources}).best_first()

    assert found.adjustments["pointed at"] == bonus


@pytest.mark.parametrize(
    ("paths", "asked"),
    [
        (
            [b"README.md", b"lib/a.py", b"package.json", b"test/a.py", b"config/routes.rb"],
            [b"README.md", b"package.json", b"config/routes.rb"],
        ),
        ([b"package.json", b"README.md"], [b"README.md", b"package.json"]),
        ([b"lib/a.py"], []),
    ],
    ids=["some", "all", "none"],
)
def test_files_that_speak_about_others_are_asked_best_first(paths, asked):
    sources: list[bytes] = []

    def pointed_at(files: Iterator[Entry]) -> Mapping[bytes, int]:
        sources.extend(source.path for source in files)
        return {}

    ranking([entry(path) for path in paths], pointed_at)

    assert sources == asked


def test_code_in_a_main_language_comes_before_other_code():
    main = [entry(b"lib/%d.rb" % number, 5_000) for number in range(4)]
    tool = entry(b"lib/a.sh", 1_000)

    found = {one.entry.path: one.adjustments for one in ranking([*main, tool]).best_first()}

    assert found[b"lib/0.rb"]["main language"] > 0
    assert "main language" not in found[b"lib/a.sh"]


def test_a_repository_can_have_two_main_languages():
    found = ranking([entry(b"a.rb", 900), entry(b"b.js", 800), entry(b"c.sh", 10)]).best_first()

    assert [one.entry.path for one in found if "main language" in one.adjustments] == [
        b"a.rb",
        b"b.js",
    ]


# Files that are put back.


LATE = Rule(kind="late", points=300, why="a test says so")


def test_a_file_that_is_put_back_comes_where_its_new_points_put_it():
    order = ranking([entry(path) for path in (b"README.md", b"a.py", b"b.json", b"x.csv")])
    files = order.best_first()
    seen = []

    for one in files:
        if one.entry.path == b"README.md" and one.rule.kind != "late":
            files.put_back(one, LATE)
        else:
            seen.append((one.entry.path, one.rule.kind))

    assert seen == [
        (b"a.py", "source"),
        (b"b.json", "configuration"),
        (b"README.md", "late"),
        (b"x.csv", "data"),
    ]


def test_files_that_are_put_back_keep_their_order():
    files = ranking([entry(b"%d.py" % number) for number in range(5)]).best_first()
    seen = []

    for one in files:
        if one.rule.kind == "late":
            seen.append(one)
        else:
            files.put_back(one, LATE)

    assert [one.entry.path for one in seen] == [b"%d.py" % number for number in range(5)]
    assert [one.score for one in seen] == sorted((one.score for one in seen), reverse=True)


def test_a_ranking_can_be_read_again():
    order = ranking([entry(path.encode()) for path in KINDS])

    assert list(order.best_first()) == list(order.best_first())
    assert len(list(order.best_first())) == len(KINDS)


# What holds for all.

SIZED = st.dictionaries(PATHS, st.integers(0, 1 << 20), max_size=30)


@settings(deadline=None, max_examples=60)
@given(SIZED, st.data())
def test_the_explanation_of_a_score_adds_up(sizes, data):
    files = [entry(path, size) for path, size in sizes.items()]
    pointed = (
        data.draw(st.dictionaries(st.sampled_from(sorted(sizes)), st.integers(0, 48)))
        if (sizes)
        else {}
    )

    order = list(ranking(files, lambda _sources: pointed).best_first())

    assert {one.entry for one in order} == set(files)
    assert [one.score for one in order] == sorted((one.score for one in order), reverse=True)
    for one in order:
        assert one.rule.points + sum(one.adjustments.values()) == one.score
        assert 0 not in one.adjustments.values()


@settings(deadline=None, max_examples=40)
@given(SIZED)
def test_no_rule_takes_more_of_the_room_than_there_is(sizes):
    for one in ranking([entry(path, size) for path, size in sizes.items()]).best_first():
        assert 0 < one.rule.share <= rules.PARTS
        assert one.rule.is_key == (one.rule.share > 2)


ORDER = """
import sys
from repomill.digest import linguist, references
from repomill.digest.rank import Ranking
from repomill.model import Entry, Kind

paths = sys.argv[1].split("\\n")
content = " ".join(paths).encode()
entries = [Entry(path.encode(), Kind.FILE, "1" * 40, 1 + len(path)) for path in sorted(paths)]
ranking = Ranking(
    entries,
    linguist.nature,
    lambda keys: references.count(keys, entries, lambda _entry: content),
)
for ranked in ranking.best_first():
    print(ranked.score, ranked.entry.path, ranked.rule.kind, ranked.adjustments)
"""


def test_the_order_is_the_same_with_every_seed_of_hashes():
    paths = "\n".join(KINDS)
    told = {
        subprocess.run(
            [sys.executable, "-c", ORDER, paths],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            timeout=100,
            check=True,
        ).stdout
        for seed in ("0", "1", "2", "3")
    }

    assert len(told) == 1
    assert len(told.pop().splitlines()) == len(KINDS)


@pytest.mark.parametrize(
    "name",
    [
        b"a" * 60_000,
        b"a." * 30_000,
        b"." * 60_000,
        b"-a_" * 20_000,
        b"test." * 9_000,
        b"readme." * 9_000,
        b"application_" * 5_000,
    ],
)
def test_a_hostile_name_is_ranked_quickly(name):
    assert ranked(entry(name)).score
    assert ranked(entry(name + b"/" + name)).score
    assert ranked(entry(b"/".join([name[:9]] * 9_000) + b"/x.json")).score
