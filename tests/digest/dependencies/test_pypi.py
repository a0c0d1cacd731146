from dataclasses import fields
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repomill.digest.dependencies import pypi, read_all
from repomill.digest.dependencies.base import Contents, ManifestError
from repomill.digest.dependencies.formats import toml_document
from repomill.digest.dependencies.pypi import requirement
from tests.digest.dependencies.commit import all_source, files


def read(path, contents):
    return pypi.read(path, files({name: dedent(text) for name, text in contents.items()}))


def found(path, contents):
    """Return what the manifest asks for, as (scope, name, requirement, resolved)."""
    return {
        (str(one.scope), one.name, one.requirement, one.resolved)
        for one in read(path, contents).dependencies
    }


def names(path, contents):
    return sorted((str(one.scope), one.name) for one in read(path, contents).dependencies)


PROJECT = """
    [build-system]
    requires = ["hatchling>=1.27"]
    [project]
    name = "My.Project"
    dependencies = ["Django[argon2] >=4.2, <5 ; python_version > '3.8'", "zope.interface==7.2"]
    [project.optional-dependencies]
    postgres = ["psycopg (>=3)"]
    dev-tools = ["ruff"]
    all = ["my-project[postgres]"]
    [dependency-groups]
    test = ["pytest~=8.0", { include-group = "Lint" }]
    lint = ["mypy"]
    [tool.uv]
    dev-dependencies = ["ipython"]
    [tool.pdm.dev-dependencies]
    docs = ["sphinx"]
"""


def test_pyproject_gives_every_dependency_its_scope_and_range():
    assert found("pyproject.toml", {"pyproject.toml": PROJECT}) == {
        ("build", "hatchling", ">=1.27", None),
        ("runtime", "Django", ">=4.2, <5", None),
        ("runtime", "zope.interface", "==7.2", "7.2"),
        ("optional", "psycopg", ">=3", None),
        ("development", "ruff", "", None),
        ("development", "pytest", "~=8.0", None),
        ("development", "mypy", "", None),
        ("development", "ipython", "", None),
        ("development", "sphinx", "", None),
    }


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("pyproject.toml", "project.name = 'de.mo'\ndependency-groups.x = ['demo', 'De_mo[s3]']"),
        (
            "setup.cfg",
            "[metadata]\nname = De_Mo\n[options.extras_require]\ns3 = demo\nall = de-mo[s3]",
        ),
        ("setup.py", "setup(name='de-mo', extras_require={'all': ['de_mo[s3]', 'demo']})"),
        ("Pipfile", "[packages]\nDE-mo = { path = '.', editable = true }\ndemo = '*'"),
    ],
)
def test_no_project_depends_on_itself(path, text):
    contents = {"a/pyproject.toml": "tool.poetry.name = 'De_Mo'", f"a/{path}": text}
    assert [name for _scope, name in names(f"a/{path}", contents)] == ["demo"]


def test_names_are_normalised_in_package_urls():
    contents = read("setup.cfg", {"setup.cfg": "[options]\ninstall_requires = Foo_Bar.baz==1"})
    assert [one.purl for one in contents.dependencies] == ["pkg:pypi/foo-bar-baz@1"]


def test_a_group_that_is_not_there_and_values_of_the_wrong_kind_are_noted():
    contents = read(
        "pyproject.toml",
        {
            "pyproject.toml": """
            project = { dependencies = [1, "a b", "c"], name = 3 }
            dependency-groups = { a = [{ include-group = "b" }, {}], c = 7 }
            tool = { poetry = [], uv = 1, setuptools = { dynamic = "x" } }
        """
        },
    )
    assert [one.name for one in contents.dependencies] == ["c"]
    assert contents.problems == [
        "project.dependencies: a requirement that is no text",
        "project.dependencies: a b is no requirement",
        "group a includes a group that is not there",
        "group c: no list",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("project.dependencies = 'x'", "project.dependencies: no list"),
        ("project = 1", "project: no table"),
        ("project.optional-dependencies = ['x']", "project.optional-dependencies: no table"),
        ("project.optional-dependencies.x = 'x'", "extra x: no list"),
        ("build-system.requires = { a = 1 }", "build-system: no list"),
        ("dependency-groups.dev = 'x'", "group dev: no list"),
        (
            """
                [dependency-groups]
                a = [{ include-group = "B" }]
                b = [{ include-group = "c" }, { include-group = "A" }]
                c = []
            """,
            "groups include each other in a circle: b, a",
        ),
        (
            "dependency-groups.a = [{ include-group = 'a' }]",
            "groups include each other in a circle: a",
        ),
        ("tool.uv.dev-dependencies = 'x'", "tool.uv.dev-dependencies: no list"),
        ("tool.pdm.dev-dependencies.x = 'x'", "tool.pdm.dev-dependencies.x: no list"),
        ("tool.flit.metadata.requires = 'x'", "tool.flit.metadata: no list"),
        ("tool.poetry.dependencies = ['x']", "tool.poetry.dependencies: no table"),
        ("tool.poetry.dependencies.a = 5", "tool.poetry.dependencies: no range for a"),
        ("tool.poetry.dependencies.a = [[]]", "tool.poetry.dependencies: no range for a"),
    ],
)
def test_what_is_no_list_table_or_range_is_noted_and_asks_for_nothing(text, problem):
    contents = read("pyproject.toml", {"pyproject.toml": text})
    assert not contents.dependencies
    assert contents.problems == [problem]


def test_a_pipfile_s_wrong_types_are_noted():
    contents = read("Pipfile", {"Pipfile": "packages = 1\n[dev-packages]\na = 5\nb = '*'"})
    assert [one.name for one in contents.dependencies] == ["b"]
    assert contents.problems == ["packages: no table", "dev-packages: no range for a"]


def test_setuptools_reads_dynamic_dependencies_from_files():
    assert names(
        "api/pyproject.toml",
        {
            "api/pyproject.toml": """
                project.name = "x"
                project.dynamic = ["dependencies", "optional-dependencies"]
                [tool.setuptools.dynamic]
                dependencies = { file = ["requirements.txt"] }
                optional-dependencies.aws = { file = "aws.txt" }
            """,
            "api/requirements.txt": "flask\n",
            "api/aws.txt": "boto3\n",
        },
    ) == [("optional", "boto3"), ("runtime", "flask")]


def test_flit_s_old_tables_are_read():
    text = "[tool.flit.metadata]\nrequires = ['a']\nrequires-extra = { fast = ['b'] }"
    assert names("pyproject.toml", {"pyproject.toml": text}) == [
        ("optional", "b"),
        ("runtime", "a"),
    ]


POETRY = """
    [tool.poetry.dependencies]
    python = "^3.11"
    flask = "^3.0"
    exact = "1.2.3"
    slow = { version = ">=2", optional = true, extras = ["x"] }
    tests-only = { version = "*", optional = true }
    ours = { git = "https://me:secret@github.com/o/ours.git", tag = "v1" }
    beside = { path = "../beside" }
    many = [{ version = "1.*", python = "<3.12" }, { version = "2.*" }]
    "not a name" = "1"
    [tool.poetry.extras]
    speed = ["slow"]
    tests = ["tests-only", 3]
    [tool.poetry.dev-dependencies]
    black = "*"
    [tool.poetry.group.docs.dependencies]
    mkdocs = "^1"
"""


def test_poetry_s_ranges_stay_as_they_are_written():
    assert found("pyproject.toml", {"pyproject.toml": POETRY}) == {
        ("runtime", "flask", "^3.0", None),
        ("runtime", "exact", "1.2.3", "1.2.3"),
        ("optional", "slow", ">=2", None),
        ("development", "tests-only", "*", None),
        ("runtime", "ours", "git+https://github.com/o/ours.git@v1", None),
        ("runtime", "beside", "../beside", None),
        ("runtime", "many", "1.*", None),
        ("runtime", "many", "2.*", None),
        ("development", "black", "*", None),
        ("development", "mkdocs", "^1", None),
    }


def test_poetry_s_tables_only_say_more_about_what_the_project_declares():
    text = """
        [project]
        dependencies = ["a"]
        {dynamic}
        [dependency-groups]
        dev = ["c"]
        [tool.poetry.dependencies]
        a = {{ source = "ours" }}
        b = {{ version = "1", optional = true }}
        [tool.poetry.group.dev.dependencies]
        c = {{ source = "ours" }}
    """
    static = [("development", "c"), ("runtime", "a")]
    assert names("pyproject.toml", {"pyproject.toml": text.format(dynamic="")}) == static
    dynamic = text.format(dynamic='dynamic = ["optional-dependencies"]')
    assert names("pyproject.toml", {"pyproject.toml": dynamic}) == [
        ("development", "c"),
        ("optional", "b"),
        ("runtime", "a"),
    ]


PLACES = """
    [project]
    dependencies = ["Requests>=2", "b", "c<2", "d", "e @ https://example.org/e.zip", "f", "g"]
    [tool.uv.sources]
    requests = { git = "https://me:secret@github.com/o/r", tag = "v2.31.0" }
    B = [{ path = "../b", editable = true }]
    c = [
        { url = "https://example.org/c.zip?token=secret", marker = "sys_platform == 'linux'" },
        { index = "ours", marker = "sys_platform == 'darwin'" },
    ]
    d = { workspace = true }
    e = { git = "https://example.org/e" }
    f = { index = "ours" }
    "" = { path = "x" }
    [tool.poetry.dependencies]
    g = { git = "ssh://git@example.org/g.git", branch = "main" }
    f = { source = "ours" }
"""


def test_where_a_package_comes_from_may_be_said_apart_from_its_requirement():
    contents = read("pyproject.toml", {"pyproject.toml": PLACES})
    assert [(one.name, one.requirement, one.purl) for one in contents.dependencies] == [
        (
            "Requests",
            "git+https://github.com/o/r@v2.31.0",
            "pkg:pypi/requests?vcs_url=git%2Bhttps://github.com/o/r%40v2.31.0",
        ),
        ("b", "../b", "pkg:pypi/b"),
        (
            "c",
            "https://example.org/c.zip",
            "pkg:pypi/c?download_url=https://example.org/c.zip",
        ),
        ("c", "<2", "pkg:pypi/c"),
        ("d", "workspace", "pkg:pypi/d"),
        (
            "e",
            "https://example.org/e.zip",
            "pkg:pypi/e?download_url=https://example.org/e.zip",
        ),
        ("f", "", "pkg:pypi/f"),
        (
            "g",
            "git+ssh://git@example.org/g.git@main",
            "pkg:pypi/g?vcs_url=git%2Bssh://git%40example.org/g.git%40main",
        ),
    ]


def test_a_lock_file_settles_versions():
    lock = """
        [[package]]
        category = "main"
        name = "flask"
        version = "3.1.0"
        [package.dependencies]
        name = "no"

        [[package]]
        name = "many"
        version = "2.5"
        [[package]]
        name = "many"
        version = "1.4"
        [[package]]
        name = "nameless"
    """
    contents = read("pyproject.toml", {"pyproject.toml": POETRY, "poetry.lock": lock})
    assert contents.locked_by == "poetry.lock"
    assert {one.requirement: one.resolved for one in contents.dependencies if one.resolved} == {
        "^3.0": "3.1.0",
        "1.2.3": "1.2.3",
        "1.*": "1.4",
        "2.*": "2.5",
    }


def test_a_lock_file_that_leaves_the_version_open_settles_none():
    lock = '[[package]]\nname = "a"\nversion = "1"\n[[package]]\nname = "a"\nversion = "2"\n'
    for wanted in ("a>0", "a @ https://example.org/a"):
        text = f"project.dependencies = ['{wanted}']"
        assert {
            one[3] for one in found("pyproject.toml", {"pyproject.toml": text, "uv.lock": lock})
        } == {None}


LOCKED = '[[package]]\nname = "m"\nversion = "2.5"\n'


@pytest.mark.parametrize(
    ("contents", "resolved"),
    [
        (
            {
                "requirements.in": "m==1.21; python_version<'3.8'\nm==1.26; python_version>='3.8'",
                "requirements.txt": "m==1.26\n    # via -r requirements.in\n",
            },
            {"==1.21": None, "==1.26": "1.26"},
        ),
        (
            {
                "pyproject.toml": """
                    [tool.poetry.dependencies]
                    m = [{version="^1", python="<3.8"}, {version="^2", python=">=3.8"}]
                """,
                "poetry.lock": LOCKED,
            },
            {"^1": None, "^2": "2.5"},
        ),
        (
            {
                "pyproject.toml": """
                    [dependency-groups]
                    old = ["m<1.27"]
                    new = ["M>=2"]
                """,
                "uv.lock": LOCKED,
            },
            {"<1.27": None, ">=2": "2.5"},
        ),
        (
            {
                "pyproject.toml": "project.dependencies = ['m<2; sys_platform == \"win32\"']",
                "uv.lock": LOCKED,
            },
            {"<2": None},
        ),
        (
            {
                "Pipfile": "[packages]\nm = { version = '<2', sys_platform = '== \"win32\"' }",
                "Pipfile.lock": '{"default": {"m": {"version": "==2.5"}}}',
            },
            {"<2": None},
        ),
    ],
)
def test_a_version_for_another_condition_makes_no_lock_file_out_of_date(contents, resolved):
    texts = {path: dedent(text) for path, text in contents.items()}
    told = next(one for one in read_all(files(texts), all_source) if one.path == next(iter(texts)))
    assert {one.requirement: one.resolved for one in told.dependencies} == resolved
    assert told.locked_by
    assert not told.problems


def test_a_lock_file_with_what_none_asks_for_is_out_of_date():
    contents = {"pyproject.toml": "project.dependencies = ['m<2', 'm<1']", "uv.lock": LOCKED}
    told = read_all(files(contents), all_source)[0]
    assert told.problems == ("uv.lock is out of date, it has m 2.5",)


def test_a_lock_file_says_nothing_of_what_builds_the_package():
    text = "[build-system]\nrequires = ['a>1']\n[project]\ndependencies = ['a>0']\n"
    lock = '[[package]]\nname = "a"\nversion = "2"\n'
    assert found("pyproject.toml", {"pyproject.toml": text, "uv.lock": lock}) == {
        ("build", "a", ">1", None),
        ("runtime", "a", ">0", "2"),
    }


def test_the_lock_file_of_a_workspace_counts_for_its_members_alone():
    contents = {
        "uv.lock": """
            [[package]]
            name = "api"
            version = "0.1"
            source = { editable = "libs/api" }
            [[package]]
            name = "a"
            version = "1.5"
        """,
        "libs/api/pyproject.toml": 'project.dependencies = ["a"]',
        "examples/pyproject.toml": 'project.dependencies = ["a"]',
    }
    assert read("libs/api/pyproject.toml", contents).locked_by == "uv.lock"
    assert found("libs/api/pyproject.toml", contents) == {("runtime", "a", "", "1.5")}
    assert found("examples/pyproject.toml", contents) == {("runtime", "a", "", None)}
    below = {f"api/{path}": text for path, text in contents.items()}
    assert read("api/libs/api/pyproject.toml", below).locked_by == "api/uv.lock"


def test_a_lock_file_that_cannot_be_read_costs_the_versions_alone():
    given = files({"pyproject.toml": 'project.dependencies = ["a"]', "uv.lock": b"\xff\x00"})
    contents = pypi.read("pyproject.toml", given)
    assert [one.name for one in contents.dependencies] == ["a"]
    assert contents.problems == ["uv.lock is no text"]
    below = files({"x/pyproject.toml": 'project.dependencies = ["a"]', "uv.lock": b"\xff\x00"})
    assert pypi.read("x/pyproject.toml", below).locked_by is None


def test_a_pipfile_is_settled_by_its_lock():
    pipfile = """
        [[source]]
        url = "https://pypi.org/simple"
        [packages]
        requests = ">=2"
        pinned = "==1.0"
        ours = { git = "https://example.org/ours.git", ref = "main", editable = true }
        [dev-packages]
        pytest = "*"
        [docs]
        sphinx = "*"
        [requires]
        python_version = "3.11"
    """
    lock = """
        {"_meta": 1, "default": {"requests": {"version": "==2.32.0"}, "pytest": {"version": "==1"},
         "ours": {"git": "x"}}, "develop": {"pytest": {"version": "==8.3"}, "x": 1}}
    """
    assert found("Pipfile", {"Pipfile": pipfile, "Pipfile.lock": lock}) == {
        ("runtime", "requests", ">=2", "2.32.0"),
        ("runtime", "pinned", "==1.0", "1.0"),
        ("runtime", "ours", "git+https://example.org/ours.git@main", None),
        ("development", "pytest", "*", "8.3"),
        ("development", "sphinx", "*", None),
    }
    damaged = read("Pipfile", {"Pipfile": pipfile, "Pipfile.lock": "{"})
    assert damaged.locked_by is None
    assert "Pipfile.lock is no JSON" in damaged.problems[0]


def test_requirements_are_read_as_pip_reads_them():
    text = r"""
        # a comment
        --index-url https://me:secret@example.org/simple
        Django>=4.2  # why
        requests[socks]==2.32.0 \
            --hash=sha256:aaaa \
            # odd, but a comment
            --hash=sha256:bbbb
        attrs ; python_version < "3.9"
        git+https://token@github.com/alphagov/utils.git@1.0#egg=notifications-utils
        -e git+ssh://git@github.com/o/name.git
        https://example.org/wheels/acme-1.0-py3-none-any.whl
        ./wheels/local_one-2.0-py3-none-any.whl
        acme2 @ https://example.org/acme2-1.0-py3-none-any.whl
        -e .[dev]
    """
    assert found("requirements.txt", {"requirements.txt": text}) == {
        ("runtime", "Django", ">=4.2", None),
        ("runtime", "requests", "==2.32.0", "2.32.0"),
        ("runtime", "attrs", "", None),
        (
            "runtime",
            "notifications-utils",
            "git+https://github.com/alphagov/utils.git@1.0#egg=notifications-utils",
            None,
        ),
        ("runtime", "o/name", "git+ssh://git@github.com/o/name.git", None),
        ("runtime", "acme", "https://example.org/wheels/acme-1.0-py3-none-any.whl", "1.0"),
        ("runtime", "local-one", "./wheels/local_one-2.0-py3-none-any.whl", "2.0"),
        ("runtime", "acme2", "https://example.org/acme2-1.0-py3-none-any.whl", "1.0"),
    }


@pytest.mark.parametrize(
    ("written", "purl"),
    [
        (
            "a @ git+https://me:secret@example.org/a.git@v1#subdirectory=b",
            "pkg:pypi/a?vcs_url=git%2Bhttps://example.org/a.git%40v1",
        ),
        ("a @ https://example.org/a.zip", "pkg:pypi/a?download_url=https://example.org/a.zip"),
        ("a @ file:///srv/a", "pkg:pypi/a"),
    ],
)
def test_what_comes_from_elsewhere_says_so_in_its_package_url(written, purl):
    assert requirement.parse(written).purl == purl


def test_what_is_included_keeps_its_scope_and_constraints_settle_versions():
    contents = {
        "requirements/dev.txt": "-r base.txt\n-c ../constraints.txt\npytest\n",
        "requirements/base.txt": "--requirement=dev.txt\nflask\n",
        "constraints.txt": "flask==3.0\nunused==1\n",
    }
    assert found("requirements/dev.txt", contents) == {
        ("development", "pytest", "", None),
        ("runtime", "flask", "", "3.0"),
    }


def test_what_cannot_be_included_is_noted():
    text = "-r gone.txt\n-r https://x.org/a.txt\n-r\n-r bad.txt\n-c ../../etc/passwd\na\n-e https://x.org/b\n"
    contents = read("requirements.txt", {"requirements.txt": text, "bad.txt": "no no\n"})
    assert contents.problems == [
        "line 3: -r of nothing",
        "line 7: https://x.org/b does not say its name",
        "../../etc/passwd is not in the repository",
        "gone.txt is not in the repository",
        "https://x.org/a.txt is not in the repository",
    ]


def test_projects_of_the_repository_are_known_by_their_folders():
    contents = {
        "api/requirements.txt": "-e ../libs/a\n-e ./b\n-e libs/c\n-e ../gone\n-e ..\nlibs/x.zip\n",
        "libs/a/pyproject.toml": "[project]\nname = 'a-lib'",
        "api/b/setup.cfg": "[metadata]\nname = b-lib",
        "libs/c/setup.py": "from setuptools import setup\nsetup(name='c-lib')",
        "libs/c/pyproject.toml": "[",
        "setup.py": "",
    }
    assert names("api/requirements.txt", contents) == [
        ("runtime", "a-lib"),
        ("runtime", "b-lib"),
        ("runtime", "c-lib"),
    ]
    assert read("api/requirements.txt", contents).problems == [
        "../gone does not say its name",
        "libs/x.zip does not say its name",
    ]


def test_a_file_url_without_an_address_is_a_folder():
    contents = {
        "requirements.txt": "-e file:.\nfile:lib\n-e file:other#egg=other\n-e file:///srv/x\n",
        "lib/pyproject.toml": "[project]\nname = 'a-lib'",
        "setup.py": "",
    }
    assert names("requirements.txt", contents) == [("runtime", "a-lib"), ("runtime", "other")]
    assert read("requirements.txt", contents).problems == [
        "line 4: file:///srv/x does not say its name"
    ]


def test_a_list_of_conda_is_no_requirements_file():
    lock = (
        "# Generated by conda-lock.\n@EXPLICIT\nhttps://conda.example/linux-64/aom-3.1.conda#a57\n"
    )
    contents = read("requirements/locks/py312.txt", {"requirements/locks/py312.txt": lock})
    assert (list(contents.dependencies), list(contents.problems)) == ([], [])


COMPILED = """
    #
    # This file is autogenerated by pip-compile with Python 3.12
    # by the following command:
    #
    #    pip-compile requirements.in
    #
    django==4.2.1 \\
        --hash=sha256:aaaa
        # via -r requirements.in
    gds-metrics @ git+https://github.com/alphagov/gds_metrics.git@1
        # via -r requirements.in
    sqlparse==0.5
        # via
        #   -c constraints.txt
        #   django
"""


def test_a_compiled_file_locks_its_source():
    contents = {
        "requirements.in": "Django>=4\ngit+https://github.com/alphagov/gds_metrics.git@1\n",
        "requirements.txt": COMPILED,
    }
    assert read("requirements.in", contents).locked_by == "requirements.txt"
    assert found("requirements.in", contents) == {
        ("runtime", "Django", ">=4", "4.2.1"),
        ("runtime", "gds-metrics", "git+https://github.com/alphagov/gds_metrics.git@1", None),
    }


def test_of_a_compiled_file_only_what_was_asked_for_counts():
    assert names("requirements.txt", {"requirements.txt": COMPILED}) == [
        ("runtime", "django"),
        ("runtime", "gds-metrics"),
    ]


def test_a_compiled_file_that_stands_in_for_a_source_asks_for_what_it_was_asked():
    compiled = """
        # This file was autogenerated by uv via the following command:
        #    uv pip compile requirements-dev.in -o requirements-dev.txt
        django==4.2.1
            # via -r requirements.txt
        pytest==8
            # via -r requirements-dev.in
        sqlparse==0.5
            # via
            #   -r requirements.txt
            #   django
    """
    contents = {"requirements.txt": COMPILED, "requirements-dev.txt": compiled}
    assert names("requirements-dev.txt", contents) == [
        ("development", "pytest"),
        ("runtime", "django"),
    ]


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("# This file is autogenerated by pip-compile\na==1\nb==2   # via a\n", ["a"]),
        ("a==1\n    # via my-project (pyproject.toml)\nb==2\n    # via a\n", ["a"]),
        (
            "-e .\na==1\n    # via my-project\nb==2\n    # via a\nc==1\n    # via my-project:dev",
            "ac",
        ),
        ("# This file is autogenerated by pip-compile\n# pip-compile x.in\na==1\nb==2\n", ["a"]),
        ("# This file is autogenerated by pip-compile\n# pip-compile y.in\na==1\nb==2\n", "ab"),
        ("# This file is autogenerated by pip-compile\n# pip-compile z.in\na==1\nb==2\n", ["a"]),
        ("# This file was autogenerated by uv\n# z.in\na==1\n# via c\nb==2\n# via c\nc==1\n", "ac"),
        ("# This file was autogenerated by uv\n# w.in\na==1\n# via c\nc==1\n", ["c"]),
    ],
)
def test_what_was_asked_for_is_told_from_the_comments_of_every_tool(text, asked):
    contents = {"requirements.txt": text, "x.in": "a>0\n", "z.in": "-r x.in\n", "w.in": "no no"}
    assert {name for _scope, name in names("requirements.txt", contents)} == set(asked)


def test_a_project_is_locked_by_what_was_compiled_from_it():
    contents = {
        "setup.cfg": "[options]\ninstall_requires = a",
        "requirements.txt": "a==1\n    # via x (setup.cfg)\n",
    }
    assert found("setup.cfg", contents) == {("runtime", "a", "", "1")}
    unrelated = contents | {"requirements.txt": "a==1\n"}
    assert found("setup.cfg", unrelated) == {("runtime", "a", "", None)}
    damaged = contents | {"requirements.txt": "no no"}
    assert found("setup.cfg", damaged) == {("runtime", "a", "", None)}


def test_prose_is_no_requirements_file():
    with pytest.raises(ManifestError, match="line 1: The system shall work is no requirement"):
        read(
            "requirements.txt", {"requirements.txt": "The system shall work\nwell\nand so on\n, so"}
        )


def test_setup_cfg_is_read_as_setuptools_reads_it():
    text = """
        [metadata]
        name = x
        [options]
        # comment
        install_requires =
            a>=1; python_version < "3.9"
            # b
            c
        setup_requires = d; e>=2
        tests_require = pytest
        [options.extras_require]
        pdf = file: pdf.txt, gone.txt
        test = coverage
    """
    contents = {"setup.cfg": text, "pdf.txt": "reportlab==4\n"}
    assert found("setup.cfg", contents) == {
        ("runtime", "a", ">=1", None),
        ("runtime", "c", "", None),
        ("build", "d", "", None),
        ("build", "e", ">=2", None),
        ("development", "pytest", "", None),
        ("optional", "reportlab", "==4", "4"),
        ("development", "coverage", "", None),
    }
    assert read("setup.cfg", contents).problems == ["gone.txt is not in the repository"]


SETUP = """
    import os
    from setuptools import setup, find_packages
    version = "1.2"
    other = get_version()
    base: list = ["a>=1", "b==%s" % version]
    base += ("c", f"d=={version}", f"e>={other}", "f" + "==2")
    base.append("g")
    base.extend(["h"])
    if os.name == "nt":
        base.append("colorama")
    try:
        import x
    except ImportError:
        base = ["backport"]
    extras = dict(fast=["i"], test=["j", "k=={}".format(other)])
    extras["slow"] = list(base[:0] or ["never"])
    extras.update({"pdf": "l\\nm  # why\\n#no", **{":python_version<'3'": ["old"]}})
    for name, needs in [("one", ["n"]), ("two", ["o"])]:
        extras[name] = needs
    def needed():
        \"\"\"What is needed.\"\"\"
        return base + [*extras["fast"]]
    with open("README.md") as readme:
        settings = {"tests_require": sorted({"pytest"} if os.name else {"nose"})}
        setup(name="x", install_requires=needed(), extras_require=extras,
              setup_requires="wheel", **settings)
"""


def test_setup_py_is_read_by_its_syntax_tree():
    assert found("setup.py", {"setup.py": SETUP}) == {
        ("runtime", "a", ">=1", None),
        ("runtime", "b", "==1.2", "1.2"),
        ("runtime", "c", "", None),
        ("runtime", "d", "==1.2", "1.2"),
        ("runtime", "e", ">={other}", None),
        ("runtime", "f", "==2", "2"),
        ("runtime", "g", "", None),
        ("runtime", "h", "", None),
        ("runtime", "colorama", "", None),
        ("runtime", "backport", "", None),
        ("runtime", "i", "", None),
        ("runtime", "old", "", None),
        ("optional", "i", "", None),
        ("development", "j", "", None),
        ("development", "k", "=={}", None),
        ("optional", "l", "", None),
        ("optional", "m", "", None),
        ("optional", "n", "", None),
        ("optional", "o", "", None),
        ("build", "wheel", "", None),
        ("development", "pytest", "", None),
        ("development", "nose", "", None),
    }


@pytest.mark.parametrize(
    "reading",
    [
        "setup(install_requires=open('requirements.txt').read().splitlines())",
        "with open('requirements.txt') as f:\n x = list(f)\nsetup(install_requires=x)",
        "p = 'default.txt'\nsetup(install_requires=reqs(p))",
        "setup(install_requires=[str(r.req) for r in parse_requirements('requirements.txt')] + [])",
    ],
)
def test_a_file_that_setup_py_reads_its_requirements_from_is_read(reading):
    contents = {
        "setup.py": reading,
        "requirements.txt": "a>1\n",
        "requirements/default.txt": "a>1\n",
    }
    assert found("setup.py", contents) == {("runtime", "a", ">1", None)}


def test_what_setup_py_works_out_is_said_to_be_missing():
    text = """
        a, b = f()
        def main():
            x.y = 1
            setup(install_requires=["a", *g(), nothing(), f"{a}==1"], tests_require=[a.b[0]],
                  extras_require={a: ["b"], "c": h(), "d": 1 % 2, **k}, setup_requires=-1, **m)
            setup(extras_require=1 + 2, setup_requires=open("gone.txt"))
        class C: pass
    """
    contents = read("setup.py", {"setup.py": text})
    assert [one.name for one in contents.dependencies] == ["a"]
    assert contents.problems == [
        "arguments of setup are worked out by the program",
        "install_requires is in part worked out by the program",
        "setup_requires is worked out by the program",
        "tests_require is in part worked out by the program",
        "extras_require is in part worked out by the program",
    ]


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("setup.py", "print 'x'", "line 1: no Python 3"),
        ("setup.py", "-" * 60_000 + "1", "nested too deeply"),
        ("setup.py", "a" + ".a" * 30_000, "nested too deeply"),
        ("setup.py", "#" * 65_537, "larger than 64 KiB"),
        ("setup.py", "a = ['a', 'b']\n" + "a = a + a\n" * 60, "too long to work out"),
        ("setup.py", "a = 'ab'\n" + "a = a + a\n" * 60, "too long to work out"),
        ("setup.cfg", "[a]\nno", "line 2: no is no option"),
        ("setup.cfg", "#" * 262_145, "larger than 256 KiB"),
        ("pyproject.toml", "a = " + "[" * 5_000, "nested too deeply"),
        ("pyproject.toml", "a." * 5_000 + "a = 1", "words with dots between"),
        ("pyproject.toml", "[" + '"a b".' * 5_000 + "a]", "words with dots between"),
        ("pyproject.toml", "#" * 262_145, "larger than 256 KiB"),
        ("pyproject.toml", "x\ny", "no TOML: .*line 1"),
        ("requirements.txt", "a\n" * 5_001, "more than 5000 requirements"),
        ("requirements.txt", "\n" * 100_001, "more than 100000 lines"),
        ("requirements.txt", ("a" * 2_000 + "\n") * 200, "more than 256 KiB of requirements"),
        ("requirements.txt", "a b\n" * 501, "line 1: a b is no requirement"),
        ("requirements.txt", "a" * 2_049, "a requirement of more than 2048 characters"),
    ],
)
def test_what_would_take_too_much_is_refused_by_name(path, text, message):
    with pytest.raises(ManifestError, match=message):
        pypi.read(path, files({path: text}))


def test_many_quoted_parts_are_no_long_key():
    assert toml_document.parse("a = '''\n" + "'x'.y\n" * 20 + "'''")


def test_at_most_a_hundred_files_and_fifty_of_them_are_included():
    contents = {f"{place}.txt": f"a{place}\n" for place in range(150)}
    contents["requirements.txt"] = "".join(f"-r {place}.txt\n" for place in range(150))
    contents = read("requirements.txt", contents)
    assert len(list(contents.dependencies)) == 49
    assert contents.problems == ["more than 100 files or folders named"]


@pytest.mark.parametrize(
    "path",
    ["pyproject.toml", "a/setup.py", "requirements/prod.txt", "test_requirements.in", "Pipfile"],
)
def test_manifests_are_claimed(path):
    assert pypi.claims(path)


@pytest.mark.parametrize("path", ["robots.txt", "config.h.in", "requirements/constraints.txt"])
def test_other_texts_are_not(path):
    assert not pypi.claims(path)


KEYS = [
    "project",
    "dependencies",
    "tool",
    "poetry",
    "group",
    "dev",
    "optional-dependencies",
    "dependency-groups",
    "dynamic",
    "setuptools",
    "file",
    "include-group",
    "version",
    "git",
    "name",
    "uv",
    "sources",
    "path",
    "pdm",
    "dev-dependencies",
    "packages",
    "default",
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.sampled_from(["a", "a>=1", "a b", "^1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner),
    max_leaves=12,
)
PIECES = st.sampled_from(
    [
        *"[](){}=:,;'\"\\#-+%\n\n ",
        *("setup(", "install_requires", "def f():\n ", "for x in ", "f'", "a"),
        *("-r ", "-e ", "via ", "x.txt", "==", "git+https://", "@"),
        *("[options]\n", "[[package]]\n", "name"),
    ]
)


def as_toml(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {as_toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    return f'"{value}"' if isinstance(value, str | None) else str(value).lower()


@given(
    st.sampled_from(["pyproject.toml", "Pipfile", "setup.py", "setup.cfg", "requirements.in"]),
    st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4),
    st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=60),
)
@settings(max_examples=60, deadline=None)
def test_nothing_but_a_refusal_comes_of_any_manifest(path, document, text):
    toml = "".join(f"{key} = {as_toml(value)}\n" for key, value in document.items())
    for manifest in (text, toml):
        given_files = files({path: manifest, "uv.lock": text, "requirements.txt": text})
        try:
            contents = pypi.read(path, given_files)
        except (ManifestError, ValueError):
            continue
        assert [field.name for field in fields(contents)] == [
            field.name for field in fields(Contents)
        ]
        assert all(one.purl for one in contents.dependencies)
