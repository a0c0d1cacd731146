"""The questions of docs/how-to/dependencies.md are answered by the table as the page says."""

import re
from pathlib import Path

import duckdb
import pytest

from repomill import fleet_inventory
from repomill.parquet import COLUMNS
from repomill.stores.base import JSON
from repomill.stores.local import LocalStore
from tests.making_metadata import dependency, manifest, metadata

PAGE = (Path(__file__).parents[1] / "docs" / "how-to" / "dependencies.md").read_text()
QUESTIONS = dict(re.findall(r"^### (.*?)\n.*?```sql\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE))

EXPRESS = "pkg:npm/express"
EXPRESS_AT = {
    "alpha/locked-low": ("^4.17.0", "4.19.2"),
    "alpha/locked-high": (">=4", "5.1.0"),
    "alpha/locked-ten": ("*", "10.0.0"),
    "beta/range-low": ("^4.17.0", None),
    "beta/range-high": ("^5.0.0-beta.3", None),
    "beta/several": ("^5.0.0 || ^4.0.0", None),
    "beta/below": ("<6", None),
    "beta/between": (">=5.1 <6.0.0", None),
    "gamma/any": ("", None),
    "gamma/git": ("git+https://github.com/expressjs/express.git#v5.0.1", None),
}
MANIFESTS = {
    **{
        repository: [manifest("package.json", dependency(EXPRESS, *versions))]
        for repository, versions in EXPRESS_AT.items()
    },
    "delta/other": [
        manifest(
            "app/package.json",
            dependency("pkg:npm/react", "^18", "18.2.0"),
            dependency("pkg:npm/jest", "^29", scope="development"),
        )
    ],
    "alpha/web": [manifest("package.json", dependency("pkg:npm/react", "^18"))],
    "alpha/net": [manifest("a.csproj", dependency("pkg:nuget/NUnit", "3.1", "3.1"))],
    "delta/net": [manifest("b.csproj", dependency("pkg:nuget/nunit", "3.2", "3.2"))],
}


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """A database that finds `dependencies.parquet`, and knows the macros of the page."""
    folder = tmp_path_factory.mktemp("fleet")
    store = LocalStore(folder / "store")
    for repository, manifests in MANIFESTS.items():
        body = metadata(manifests, repository)
        store.put(f"metadata/{repository}.json", body, content_type=JSON, metadata={})
    table = fleet_inventory.write(store, folder, for_people=False)
    with duckdb.connect(config={"file_search_path": str(table.path.parent)}) as opened:
        for macro in re.findall(r"^CREATE MACRO .*?;", PAGE, re.DOTALL | re.MULTILINE):
            opened.execute(macro)
        yield opened


def ask(database, heading):
    """Return the answer to the question under the *heading*."""
    sql = QUESTIONS[heading]
    return database.execute(sql[sql.rindex("SELECT") :] if "MACRO" in sql else sql).fetchall()


def test_there_are_the_questions_that_are_tested():
    assert len(QUESTIONS) == 4


def test_the_page_names_the_columns():
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == list(COLUMNS)


def test_who_depends_on_express_below_5(database):
    found = ask(database, "Who depends on express < 5?")

    assert [row[0] for row in found] == [
        "alpha/locked-low",
        "beta/below",
        "beta/range-low",
        "beta/several",
        "gamma/any",
        "gamma/git",
    ]
    assert found[0] == ("alpha/locked-low", "package.json", "^4.17.0", "4.19.2")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("^4.17.1", [4, 17, 1]),
        ("4.x", [4]),
        ("1.2.3 - 2.0.0", [1, 2, 3]),
        (">=1.2, !=1.3, <2", [1, 2]),
        ("~> 6.1.0", [6, 1, 0]),
        ("[4.0,5.0)", [4, 0]),
        ("10 || 9", [9]),
        ("v3.1.0", [3, 1, 0]),
        ("latest", None),
        ("*", None),
    ],
)
def test_the_lower_bound_of_a_range(database, text, expected):
    ((found,),) = database.execute("SELECT lower_bound($1)", [text]).fetchall()

    assert found == expected


def test_which_departments_share_what(database):
    assert ask(database, "Which departments share what?") == [
        ("pkg:npm/express", 3, 10, ["alpha", "beta", "gamma"]),
        ("pkg:npm/react", 2, 2, ["alpha", "delta"]),
        ("pkg:nuget/nunit", 2, 2, ["alpha", "delta"]),
    ]


def test_which_versions_are_in_use(database):
    assert ask(database, "Which versions of it are in use?") == [
        ("10.0.0", 1),
        ("5.1.0", 1),
        ("4.19.2", 1),
    ]


def test_where_nothing_settles_the_version(database):
    found = ask(database, "Where does nothing settle the version?")

    assert ("alpha/web", "package.json", 1) in found
    assert len(found) == 8
    assert "delta/other" not in {row[0] for row in found}
