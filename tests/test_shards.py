"""Which part of a feed a task works on: the published rule, and what each system says."""

import math
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repomill import shards
from repomill.errors import UsageError
from repomill.shards import MOST_SHARDS, Shard

FEED_ENTRIES = 24_500

# The published rule: whoever changes a number here sends repositories to other shards.
KNOWN = {
    "https://github.com/alphagov/whitehall": {2: 0, 10: 2, 32: 8, 100: 72},
    "https://git.example.org:8443/group/sub/Name": {2: 1, 10: 9, 32: 27, 100: 39},
    "https://[2001:db8::1]/owner/name": {2: 1, 10: 7, 32: 17, 100: 37},
}

# system: its variables for the fourth of ten tasks
SYSTEMS = {
    "Cloud Run": {"CLOUD_RUN_TASK_INDEX": "3", "CLOUD_RUN_TASK_COUNT": "10"},
    "Kubernetes": {"JOB_COMPLETION_INDEX": "3", "REPOMILL_SHARDS": "10"},
    "AWS Batch": {"AWS_BATCH_JOB_ARRAY_INDEX": "3", "AWS_BATCH_JOB_ARRAY_SIZE": "10"},
    "Slurm": {
        "SLURM_ARRAY_TASK_ID": "4",
        "SLURM_ARRAY_TASK_COUNT": "10",
        "SLURM_ARRAY_TASK_MIN": "1",
        "SLURM_ARRAY_TASK_MAX": "10",
        "SLURM_ARRAY_TASK_STEP": "1",
    },
}
NEEDED = {
    "SLURM_ARRAY_TASK_ID",
    "SLURM_ARRAY_TASK_COUNT",
    "SLURM_ARRAY_TASK_MIN",
    *(name for system in ("Cloud Run", "Kubernetes", "AWS Batch") for name in SYSTEMS[system]),
}
VARIABLES = [name for variables in SYSTEMS.values() for name in variables]


@pytest.fixture(scope="module")
def feed():
    """As many URLs as the UK government's feed has, spread over owners as unevenly."""
    chance = random.Random(4)
    owners = ["alphagov", "nhsuk", "hmrc", "ministryofjustice", "dwp", "UKHomeOffice", "ONSdigital"]
    owners += [f"council-{number}" for number in range(150)]
    weights = [1 / rank for rank in range(1, len(owners) + 1)]
    named = chance.choices(owners, weights, k=FEED_ENTRIES)
    return [f"https://github.com/{owner}/service-{n}".lower() for n, owner in enumerate(named)]


@pytest.mark.parametrize("count", [2, 10, 32, 100])
def test_a_feed_falls_into_disjoint_even_parts_that_are_all_of_it(feed, count):
    parts = [set(filter(Shard(index, count).holds, feed)) for index in range(count)]

    assert sum(map(len, parts)) == len(set.union(*parts)) == len(set(feed)) == FEED_ENTRIES
    even, most_off = FEED_ENTRIES / count, 4 * math.sqrt(FEED_ENTRIES / count)
    assert all(abs(len(part) - even) <= most_off for part in parts)


@pytest.mark.parametrize("url", KNOWN)
def test_the_rule_never_changes(url):
    held = {
        count: [index for index in range(count) if Shard(index, count).holds(url)]
        for count in KNOWN[url]
    }
    assert held == {count: [index] for count, index in KNOWN[url].items()}


def test_the_rule_is_the_one_in_the_documentation():
    page = Path(__file__).parents[1] / "docs" / "reference" / "shards.md"
    (program,) = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    (url,) = re.findall(r'url = "(.*)"', program)

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert int(said.stdout) == KNOWN[url][10]


@given(st.text(st.characters(codec="utf-8")), st.integers(1, 500))
def test_each_repository_is_of_exactly_one_shard(identity, count):
    assert sum(Shard(index, count).holds(identity) for index in range(count)) == 1


@given(st.integers(1, MOST_SHARDS), st.data())
def test_a_shard_is_read_as_it_is_written(count, data):
    shard = Shard(data.draw(st.integers(0, count - 1)), count)
    assert shards.parse(str(shard)) == shard


@pytest.mark.parametrize("text", ["0/1", " 0/1\n", "00/01"])
def test_the_only_shard_of_one_holds_everything(text, feed):
    assert all(map(shards.parse(text).holds, feed[:100]))


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("", "'' is no shard; write I/N, from 0/10 to 9/10, or auto"),
        ("3", "'3' is no shard"),
        ("/", "'/' is no shard"),
        ("a/b", "'a/b' is no shard"),
        ("-1/10", "'-1/10' is no shard"),
        ("+1/10", "'+1/10' is no shard"),
        ("1.0/10", "'1.0/10' is no shard"),
        ("1 / 10", "'1 / 10' is no shard"),
        ("1/10/100", "'1/10/100' is no shard"),
        ("٣/10", "'٣/10' is no shard"),
        ("1/" + "9" * 5000, "'1/99999999999999999999999999999999999999…' is no shard"),
        ("10/10", "shard '10/10': of 10 shards the last one is 9/10"),
        ("0/0", "shard '0/0': there can be 1 to 100000 shards, not 0"),
        ("0/100001", "shard '0/100001': there can be 1 to 100000 shards, not 100001"),
    ],
)
def test_what_is_no_shard_is_refused(text, advice):
    with pytest.raises(UsageError, match=re.escape(advice)):
        shards.parse(text)


@given(st.text())
def test_any_text_is_a_shard_or_a_usage_error(text):
    try:
        shard = shards.parse(text)
    except UsageError:
        return
    assert 0 <= shard.index < shard.count <= MOST_SHARDS


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_task_learns_its_shard_from_its_system(system):
    assert shards.from_environment({"PATH": "/bin"} | SYSTEMS[system]) == Shard(3, 10)


@pytest.mark.parametrize(
    ("variables", "shard"),
    [
        # sbatch --array=0-9, as written by a Slurm that names neither last nor step
        ({"ID": "3", "COUNT": "10", "MIN": "0"}, Shard(3, 10)),
        # sbatch --array=5-23:2
        ({"ID": "11", "COUNT": "10", "MIN": "5", "MAX": "23", "STEP": "2"}, Shard(3, 10)),
        # sbatch --array=5-24:2, where the last index counts as it was written
        ({"ID": "11", "COUNT": "10", "MIN": "5", "MAX": "24", "STEP": "2"}, Shard(3, 10)),
        ({"ID": "7", "COUNT": "1", "MIN": "7", "MAX": "7", "STEP": "1"}, Shard(0, 1)),
    ],
)
def test_a_slurm_array_may_start_anywhere_and_go_in_steps(variables, shard):
    environ = {f"SLURM_ARRAY_TASK_{name}": text for name, text in variables.items()}
    assert shards.from_environment(environ) == shard


@pytest.mark.parametrize(
    "variables",
    [
        {"ID": "1", "COUNT": "3", "MIN": "1", "MAX": "9", "STEP": "1"},  # sbatch --array=1,3,9
        {"ID": "2", "COUNT": "3", "MIN": "1", "MAX": "5", "STEP": "2"},
        {"ID": "0", "COUNT": "3", "MIN": "1", "MAX": "3", "STEP": "1"},
        {"ID": "1", "COUNT": "3", "MIN": "1", "MAX": "3", "STEP": "0"},
    ],
)
def test_a_slurm_array_with_gaps_is_refused(variables):
    environ = {f"SLURM_ARRAY_TASK_{name}": text for name, text in variables.items()}
    with pytest.raises(UsageError, match=r"SLURM_ARRAY_TASK_ID=.*an array with gaps"):
        shards.from_environment(environ)


def test_without_any_system_nothing_is_run():
    with pytest.raises(UsageError, match="no task index") as caught:
        shards.from_environment({"PATH": "/bin", "REPOMILL_SHARD": "auto"})
    assert all(name in str(caught.value) for name in NEEDED)


@pytest.mark.parametrize("name", sorted(NEEDED))
@pytest.mark.parametrize("missing", ["unset", "empty"])
def test_a_missing_variable_is_named(name, missing):
    (environ,) = [dict(variables) for variables in SYSTEMS.values() if name in variables]
    del environ[name]
    if missing == "empty":
        environ[name] = ""
    with pytest.raises(UsageError, match=rf"but {name} is not set"):
        shards.from_environment(environ)


def test_all_missing_variables_are_named():
    with pytest.raises(UsageError, match="SLURM_ARRAY_TASK_COUNT and SLURM_ARRAY_TASK_MIN are not"):
        shards.from_environment({"SLURM_ARRAY_TASK_ID": "3"})


@pytest.mark.parametrize("one", SYSTEMS)
@pytest.mark.parametrize("other", SYSTEMS)
def test_two_systems_at_once_are_both_named(one, other):
    if one == other:
        return
    (index, _) = list(SYSTEMS[other].items())[:2]
    with pytest.raises(UsageError, match="write I/N, or unset one") as caught:
        shards.from_environment(SYSTEMS[one] | dict([index]))
    assert one in str(caught.value)
    assert f"{other} ({index[0]})" in str(caught.value)


@pytest.mark.parametrize("name", VARIABLES)
@pytest.mark.parametrize("junk", ["x", "-1", "1.5", " 3", "٣", "9" * 5000])
def test_junk_is_refused_and_its_variable_named(name, junk):
    (environ,) = [dict(variables) for variables in SYSTEMS.values() if name in variables]
    with pytest.raises(UsageError, match=f"{name} is .*, no number of a task") as caught:
        shards.from_environment(environ | {name: junk})
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("system", ["Cloud Run", "Kubernetes", "AWS Batch"])
@pytest.mark.parametrize(
    ("index", "count", "advice"),
    [
        ("10", "10", "of 10 shards the last one is 9/10"),
        ("0", "0", "there can be 1 to 100000 shards, not 0"),
        ("0", "100001", "there can be 1 to 100000 shards, not 100001"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(system, index, count, advice):
    environ = dict(zip(SYSTEMS[system], (index, count), strict=True))
    said = ", ".join(f"{name}={text}" for name, text in environ.items())
    with pytest.raises(UsageError, match=re.escape(f"shard auto: {said}: {advice}")):
        shards.from_environment(environ)


@given(st.dictionaries(st.sampled_from(VARIABLES), st.text() | st.integers(-1, 99).map(str)))
def test_any_environment_makes_a_shard_or_a_usage_error(environ):
    try:
        shard = shards.from_environment(environ)
    except UsageError:
        return
    assert 0 <= shard.index < shard.count <= MOST_SHARDS
