"""How dependencies are told in a digest."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from packageurl import PackageURL

from repomill.digest.dependencies import Dependency, Manifest, Scope
from repomill.digest.dependencies.paragraph import paragraph


def needs(name: str, requirement: str = "", scope: Scope = Scope.RUNTIME, **more) -> Dependency:
    package = PackageURL("npm", None, "x")
    return Dependency(name=name, package=package, requirement=requirement, scope=scope, **more)


def manifest(path: str, *dependencies: Dependency, **more) -> Manifest:
    return Manifest(path=path, ecosystem="npm", dependencies=dependencies, **more)


def many(count: int) -> list[Manifest]:
    return [
        manifest(f"app{number}/package.json", *(needs(f"a{number}-{n}", "^1") for n in range(9)))
        for number in range(count)
    ]


def test_each_manifest_has_a_block_with_runtime_first():
    told = paragraph(
        [
            manifest(
                "package.json",
                needs("express", "^4.17.1", resolved="4.18.2"),
                needs("left-pad", "1.3.0", resolved="1.3.0"),
                needs("pinned", "==1.0", resolved="1.0"),
                needs("mocha", scope=Scope.DEVELOPMENT),
                locked_by="package-lock.json",
            ),
            Manifest(path="Dockerfile", ecosystem="Docker", dependencies=(needs("node", "18"),)),
        ]
    )

    assert told.decode() == (
        "Dependencies:\n"
        "package.json (npm, locked by package-lock.json)\n"
        "  runtime:\n"
        "    express ^4.17.1 = 4.18.2\n"
        "    left-pad 1.3.0\n"
        "    pinned ==1.0\n"
        "  development:\n"
        "    mocha\n"
        "Dockerfile (Docker)\n"
        "  runtime:\n"
        "    node 18\n"
    )


def test_what_says_nothing_is_not_told():
    assert paragraph([]) == b""
    assert paragraph([manifest("package.json")]) == b""


def test_a_manifest_that_cannot_be_read_is_named():
    told = paragraph([manifest("package.json", problems=("no JSON: line 3",))])

    assert told == b"Dependencies:\npackage.json (npm)\n  problem: no JSON: line 3\n"


def test_a_compiled_list_is_not_told_beside_its_source():
    source = manifest("app.in", needs("flask", resolved="3.0"), locked_by="app.txt")

    told = paragraph([source, manifest("app.txt", needs("flask", "==3.0"))])

    assert told.decode().splitlines()[1:] == [
        "app.in (npm, locked by app.txt)",
        "  runtime:",
        "    flask = 3.0",
    ]


def test_manifests_that_say_the_same_are_told_once():
    told = paragraph([manifest(f"{name}/package.json", needs("express")) for name in "abc"])

    assert told.decode().splitlines()[1:] == [
        "a/package.json and 2 more that say the same (npm)",
        "  runtime:",
        "    express",
    ]


def test_what_does_not_fit_is_counted():
    told = paragraph(many(3), 360).decode()

    assert told.endswith("    … 20 more dependencies in 2 more manifests (npm)\n")
    assert sum(line.startswith("    a") for line in told.splitlines()) == 27 - 20


def test_a_manifest_is_not_begun_where_no_dependency_of_it_fits():
    whole = len(paragraph(many(1)))
    told = paragraph(many(5), whole + 220 + len("app1/package.json (npm)\n  runtime:\n")).decode()

    assert told.endswith("a0-8 ^1\n… 36 more dependencies in 4 more manifests (npm)\n")


def test_workflows_are_told_in_one_list():
    def workflow(name: str, *actions: str) -> Manifest:
        path = f".github/workflows/{name}.yml"
        needed = tuple(needs(action, "v4", Scope.BUILD) for action in actions)
        return Manifest(path=path, ecosystem="GitHub Actions", dependencies=needed)

    told = paragraph([workflow("a", "checkout", "cache"), workflow("b", "checkout", "setup")])

    assert told.decode().splitlines()[1:] == [
        ".github/workflows/a.yml and 1 more (GitHub Actions)",
        "  build:",
        "    cache v4",
        "    checkout v4",
        "    setup v4",
    ]


def test_a_commit_of_an_action_is_told_once_with_the_release_that_a_comment_names():
    def workflow(name: str, requirement: str) -> Manifest:
        ref = requirement.partition(" ")[0]
        used = needs("actions/checkout", requirement, Scope.BUILD, resolved=ref)
        return Manifest(path=name, ecosystem="GitHub Actions", dependencies=(used,))

    written = ("1bd7", "1bd7 # 4.2.2", "1bd7 # v4.2.2", "9af3 # v5", "v4", "v5")
    told = paragraph([workflow(f"{place}.yml", one) for place, one in enumerate(written)])

    assert told.decode().splitlines()[3:] == [
        "    actions/checkout 1bd7 # v4.2.2",
        "    actions/checkout 9af3 # v5",
        "    actions/checkout v4",
        "    actions/checkout v5",
    ]


def test_what_tells_modules_of_one_repository_apart_is_told():
    package = PackageURL("github", "o", "r", subpath="modules/a")
    module = Dependency(name="github.com/o/r", package=package, requirement="v1")
    image = needs("node", "18@sha256:1", resolved="sha256:1")

    assert b"    github.com/o/r//modules/a v1\n" in paragraph([manifest("main.tf", module)])
    assert paragraph([manifest("Dockerfile", image)]).endswith(b"    node 18@sha256:1\n")
    pinned = needs("checkout", "1bd7 # v4", resolved="1bd7")
    assert paragraph([manifest("ci.yml", pinned)]).endswith(b"    checkout 1bd7 # v4\n")


def test_a_lock_file_is_named_where_it_is_that_of_all():
    one = replace(manifest("a/main.tf", needs("aws")), locked_by="a/lock")
    other = replace(manifest("b/main.tf", needs("aws")), locked_by="b/lock")

    assert b"a/main.tf (npm, locked by a/lock)\n" in paragraph([one])
    assert b"a/main.tf and 1 more that say the same (npm)\n" in paragraph([one, other])


def test_where_there_is_no_room_nothing_is_said():
    assert paragraph(many(3), 50) == b""


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.builds(
            lambda path, names, problems: manifest(
                path, *(needs(n, n, resolved=n or None) for n in names), problems=tuple(problems)
            ),
            st.text(max_size=300),
            st.lists(st.text(max_size=300), max_size=9),
            st.lists(st.text(max_size=30), max_size=1),
        ),
        max_size=6,
    ),
    st.integers(-5, 3_000),
)
def test_the_room_is_never_exceeded_and_lines_stay_lines(manifests, room):
    told = paragraph(manifests, room)

    assert len(told) <= max(0, room)
    whole = paragraph(manifests)
    dependencies = sum(line.startswith(b"    ") for line in whole.split(b"\n"))
    alike = {(one.dependencies, one.problems): one for one in manifests}.values()
    assert dependencies == sum(len(one.dependencies) for one in alike)
