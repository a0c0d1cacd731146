"""The page on the order of files says what the table says."""

from pathlib import Path

from repomill.digest import rules

PAGE = Path(__file__).parents[1] / "docs/explanation/budget.md"
FALLBACKS = [
    *(rules.SOURCE, rules.NOTEBOOK, rules.MARKUP, rules.CONFIGURATION, rules.PROSE, rules.OTHER),
]


def rows() -> list[str]:
    """Return the rows of the page's table, in the order in which rules are tried."""
    return [f"| {rule.kind} | {rule.points} | {rule.why} |" for rule in (*rules.RULES, *FALLBACKS)]


def test_the_page_has_the_table():
    text = PAGE.read_text()

    expected = ["| kind | points | because |", "|---|--:|---|", *rows()]

    assert "\n".join(expected) in text


def test_the_page_names_the_points_of_what_is_nobodys_text():
    text = PAGE.read_text()

    vendored, generated = rules.NATURES.values()
    assert f"empty ({rules.EMPTY.points}), links ({rules.LINK.points})" in text
    assert f"vendored ({vendored.points}) or generated ({generated.points})" in text
