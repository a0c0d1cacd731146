"""The store that the user means."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from repomill.errors import UsageError
from repomill.stores.choose import R2_VARIABLES, choose
from repomill.stores.local import LocalStore


def chosen(name, environ) -> Path:
    store = choose(name, environ)
    assert isinstance(store, LocalStore)
    return store.root


@pytest.mark.parametrize("name", [None, ""])
@pytest.mark.parametrize("environ", [{}, dict.fromkeys(R2_VARIABLES, "")])
def test_without_a_store_digests_go_to_a_folder_with_one_warning(name, environ):
    with capture_logs() as lines:
        assert chosen(name, environ) == Path("digests")

    assert [(line["log_level"], line["folder"]) for line in lines] == [("warning", "digests")]


@pytest.mark.parametrize("environ", [{}, dict.fromkeys(R2_VARIABLES, "x")])
def test_a_folder_that_is_named_is_taken(environ):
    with capture_logs() as lines:
        assert chosen("some/where", environ) == Path("some/where")

    assert lines == []


@pytest.mark.parametrize("missing", R2_VARIABLES)
def test_a_missing_variable_is_named(missing):
    environ = dict.fromkeys(R2_VARIABLES, "s3cret")
    del environ[missing]

    with pytest.raises(UsageError, match=rf"^{missing} missing: set all four") as refusal:
        choose(None, environ)
    assert "s3cret" not in str(refusal.value)


def test_all_missing_variables_are_named_at_once():
    with pytest.raises(UsageError) as refusal:
        choose(None, {"R2_BUCKET": "bucket", "R2_SECRET_KEY": ""})

    assert str(refusal.value).startswith("R2_ENDPOINT, R2_ACCESS_KEY, R2_SECRET_KEY missing")


@pytest.mark.parametrize(
    ("name", "environ", "advice"),
    [
        (None, dict.fromkeys(R2_VARIABLES, "x"), "R2 is not supported yet"),
        ("s3://bucket", {}, "only a folder is supported yet"),
    ],
)
def test_what_is_not_supported_yet_is_told_so(name, environ, advice):
    with pytest.raises(UsageError, match=advice):
        choose(name, environ)
