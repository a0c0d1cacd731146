import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repomill.digest.dependencies.base import ManifestError
from repomill.digest.dependencies.formats import yaml_tree


def test_scalars_stay_as_they_are_written():
    assert yaml_tree.read("on: yes\nn: 010\nd: 2026-01-01\ne:\nt: |\n  a\n  b\n") == {
        "on": "yes",
        "n": "010",
        "d": "2026-01-01",
        "e": "",
        "t": "a\nb\n",
    }


def test_only_the_first_document_counts():
    assert yaml_tree.read("a: 1\n---\nb: 2\n") == {"a": "1"}
    assert yaml_tree.read("") == ""


def test_of_equal_keys_the_last_counts_and_keys_that_are_no_scalars_do_not():
    assert yaml_tree.read("a: 1\n[b, c]: 2\n? {d: e}\n: 3\na: 4\n") == {"a": "4"}


def test_an_alias_is_what_it_stands_for():
    tree = yaml_tree.read("a: &x [1]\nb: *x\n")
    assert yaml_tree.get(tree, "a") is yaml_tree.get(tree, "b")


def test_merged_mappings_are_looked_into_in_their_order():
    tree = yaml_tree.read("a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], z: 3}\n")
    merged = yaml_tree.get(tree, "c")
    assert [yaml_tree.get(merged, key) for key in "xyzw"] == ["1", "1", "3", None]


def test_a_mapping_that_merges_itself_ends():
    tree = yaml_tree.read("a: &a\n  <<: [*a, *a]\n")
    assert yaml_tree.get(yaml_tree.get(tree, "a"), "b") is None


def test_each_mapping_and_list_is_entered_once():
    tree = yaml_tree.read("a: &a [1, 2]\nb: *a\n")
    entered: set[int] = set()
    lists = [list(yaml_tree.values(each, entered)) for each in yaml_tree.values(tree, entered)]
    assert lists == [["1", "2"]]
    assert list(yaml_tree.values(tree, entered)) == []
    assert list(yaml_tree.values("text", entered)) == []


def test_text_is_what_is_a_string():
    assert yaml_tree.text({"a": "b", "c": []}, "a") == "b"
    assert yaml_tree.text({"a": "b", "c": []}, "c") == ""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: [\n", "line 2: did not find expected node content"),
        ("a: b: c\n", "line 1: mapping values are not allowed in this context"),
        ("a: *b\n", "line 1: an alias of what is not anchored"),
        ("a: \x01\n", "does not allow|not allowed"),
        ("[" * 1_000_000, "more than 100 deep"),
        ("- " * 500_000, "more than 100 deep"),
        ("a: b\n" * 26_000, "more than 50000 parts"),
    ],
    ids=["open", "colons", "alias", "control", "flow", "block", "long"],
)
def test_what_cannot_be_read_is_refused_with_a_reason(text, reason):
    with pytest.raises(ManifestError, match=reason) as raised:
        yaml_tree.read(text)
    assert len(str(raised.value)) < 200


@given(st.text(alphabet="ab:-[]{}&*!|>'\"# \n\t?,%é", max_size=60))
@settings(max_examples=60, deadline=None)
def test_whatever_it_is_given_it_answers_or_refuses(text):
    try:
        yaml_tree.read(text)
    except (ManifestError, ValueError):
        return


@pytest.mark.parametrize("kind", ["[{}]", "{{a: {}, b: 1}}"])
def test_aliases_that_would_be_too_much_if_written_out_are_refused(kind):
    bomb = "a0: &a0 [x]\n"
    for level in range(1, 12):
        aliases = ", ".join([f"*a{level - 1}"] * 9)
        bomb += f"a{level}: &a{level} {kind.format(f'[{aliases}]')}\n"
    with pytest.raises(ManifestError, match="line 8: aliases that stand for too much"):
        yaml_tree.read(bomb)
