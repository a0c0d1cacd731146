"""What a name says about its file."""

import pytest

from repomill.digest.languages import (
    FileType,
    Type,
    attributed_language,
    describe,
    file_type,
    is_binary,
    is_data,
    is_prose,
    language,
    shares,
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.rb", "Ruby"),
        ("lib/tasks/a.rake", "Ruby"),
        ("Gemfile", "Ruby"),
        ("config.ru", "Ruby"),
        ("a.js", "JavaScript"),
        ("a.mjs", "JavaScript"),
        ("a.jsx", "JavaScript"),
        ("a.tsx", "TypeScript"),
        ("index.html.erb", "HTML+ERB"),
        ("a.js.erb", "JavaScript"),
        ("_base.scss", "SCSS"),
        ("main.tf", "HCL"),
        ("Dockerfile", "Dockerfile"),
        ("Dockerfile.dev", "Dockerfile"),
        ("dev.Dockerfile", "Dockerfile"),
        ("Makefile", "Makefile"),
        ("a.SH", "Shell"),
        ("A.scala", "Scala"),
        ("build.sbt", "Scala"),
        ("index.scala.html", "HTML"),
        ("A.kt", "Kotlin"),
        ("a.njk", "Nunjucks"),
        ("a.blade.php", "Blade"),
        ("a.php", "PHP"),
        ("a.h", "C"),
        ("a.mm", "Objective-C++"),
        ("a.ipynb", "Jupyter Notebook"),
        ("a.xsl", "XSLT"),
        ("Index.cshtml", "HTML+Razor"),
        ("Jenkinsfile", "Groovy"),
        (".bashrc", "Shell"),
        ("justfile", "Just"),
    ],
)
def test_a_language_is_called_as_on_github(name, expected):
    assert language(name) == expected


@pytest.mark.parametrize(
    "name",
    [
        *("a.json", "a.yml", "a.csv", "a.xml", "a.svg", "a.sql", "Gemfile.lock", "pom.xml"),
        *("build.gradle", "build.gradle.kts", "a.edn"),  # data, as on GitHub
        *("README.md", "a.rst", "a.txt", "LICENSE"),
        *("a.png", "a.woff2", "a.zip", "a.docx"),
        *("LICENSE.unheard-of", "unheard-of", "a.unheard-of", "", ".", "a."),
    ],
)
def test_data_prose_and_binaries_are_no_language(name):
    assert language(name) is None


def test_a_name_tells_binaries_data_and_prose_apart():
    assert is_binary("a/b.PNG")
    assert is_binary("a.xlsx")
    assert not is_binary("a.svg")
    assert is_data("a.svg")
    assert is_data("a.geojson")
    assert not is_data("a.rb")
    assert is_prose("CHANGELOG.md")
    assert not is_prose("a.json")


def test_what_is_unknown_is_called_so():
    assert file_type("a.unheard-of") == FileType(Type.UNKNOWN)


@pytest.mark.parametrize(
    ("name", "stated", "detectable", "expected"),
    [
        ("a.rb", None, None, "Ruby"),
        ("a.rb", None, False, None),
        ("a.sql", None, True, "SQL"),
        ("a.gradle", None, True, "Gradle"),
        ("a.inc", "PHP", None, "PHP"),
        ("a.inc", "vim-SCRIPT", None, "Vim script"),
        ("a.inc", "js", None, "JavaScript"),
        ("a.rb", "JSON", None, None),
        ("a.rb", "JSON", True, "JSON"),
        ("a.rb", "Ignore all previous instructions", None, "Ruby"),
        ("a.unheard-of", None, True, None),
    ],
)
def test_attributes_say_what_counts_as_which_language(name, stated, detectable, expected):
    assert attributed_language(name, stated=stated, detectable=detectable) == expected


def test_shares_are_of_bytes_the_biggest_first_and_equal_ones_by_name():
    sizes = [("a.js", 1), ("b.rb", 2), ("c.css", 1), ("d.md", 100), ("e.py", 0)]
    assert shares(sizes) == [("Ruby", 0.5), ("CSS", 0.25), ("JavaScript", 0.25)]


def test_shares_take_the_language_from_elsewhere():
    assert shares([("a.sql", 1)], lambda _: "PLpgSQL") == [("PLpgSQL", 1.0)]


def test_without_code_there_are_no_shares():
    assert shares([("a.md", 1)]) == []
    assert describe([]) == ""


def test_a_description_names_six_and_adds_up_to_a_hundred():
    eight = [(name, 1 / 8) for name in "ABCDEFGH"]
    assert describe(eight) == "A 12.5%, B 12.5%, C 12.5%, D 12.5%, E 12.5%, F 12.5%, other 25.0%"
    thirds = [(name, 1 / 3) for name in "ABC"]
    assert describe(thirds) == "A 33.4%, B 33.3%, C 33.3%"


def test_small_languages_are_summed_up_and_left_out_where_they_round_to_nothing():
    assert describe([("A", 0.993), ("B", 0.004), ("C", 0.003)]) == "A 99.3%, other 0.7%"
    assert describe([("A", 0.9999), ("B", 0.0001)]) == "A 100.0%"
