"""The store that the user means."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from repomill.errors import UsageError
from repomill.retry import Patience
from repomill.stores import choose
from repomill.stores.bucket import R2_VARIABLES, Bucket, Settings, from_r2_variables, from_url
from repomill.stores.local import LocalStore
from repomill.stores.s3 import S3Store

R2 = {
    "R2_BUCKET": "digests",
    "R2_ENDPOINT": "https://account.r2.cloudflarestorage.com",
    "R2_ACCESS_KEY": "access",
    "R2_SECRET_KEY": "s3cret",
}
AT_R2 = Bucket(
    name="digests", endpoint=R2["R2_ENDPOINT"], access_key="access", secret_key=R2["R2_SECRET_KEY"]
)


def chosen(name, environ) -> Path | None:
    """Return the folder; None for a bucket."""
    store = choose.choose(name, environ, Patience(1))
    if isinstance(store, S3Store):
        return None
    assert isinstance(store, LocalStore)
    return store.root


@pytest.mark.parametrize("name", [None, ""])
@pytest.mark.parametrize("environ", [{}, dict.fromkeys(R2_VARIABLES, ""), {"R2_BUCKET": " "}])
def test_without_a_store_digests_go_to_a_folder_with_one_warning(name, environ):
    with capture_logs() as lines:
        assert chosen(name, environ) == Path("digests")

    assert [(line["log_level"], line["folder"]) for line in lines] == [("warning", "digests")]


@pytest.mark.parametrize("environ", [{}, R2])
def test_a_folder_that_is_named_is_taken(environ):
    with capture_logs() as lines:
        assert chosen("some/where", environ) == Path("some/where")

    assert lines == []


@pytest.mark.parametrize(("name", "environ"), [(None, R2), ("", R2), ("s3://bucket", {})])
def test_a_bucket_is_taken_without_a_word(name, environ):
    with capture_logs() as lines:
        assert chosen(name, environ) is None

    assert lines == []


@pytest.mark.parametrize("name", ["gs://bucket", "https://user:s3cret@r2.example/bucket", "S3://b"])
def test_a_url_of_another_kind_is_refused(name):
    with pytest.raises(UsageError, match="neither a folder nor s3://BUCKET") as refusal:
        chosen(name, {})
    assert "s3cret" not in str(refusal.value)


@pytest.mark.parametrize("missing", R2_VARIABLES)
def test_a_missing_variable_is_named(missing):
    environ = {name: value for name, value in R2.items() if name != missing}

    with pytest.raises(UsageError, match=rf"^{missing} missing: set all four") as refusal:
        chosen(None, environ)
    assert "s3cret" not in str(refusal.value)


def test_all_missing_variables_are_named_at_once():
    with pytest.raises(UsageError) as refusal:
        chosen(None, {"R2_BUCKET": "bucket", "R2_SECRET_KEY": ""})

    assert str(refusal.value).startswith("R2_ENDPOINT, R2_ACCESS_KEY, R2_SECRET_KEY missing")


def test_the_four_variables_name_a_bucket():
    assert from_r2_variables(R2) == AT_R2


def test_the_end_of_a_line_is_no_part_of_a_secret():
    assert from_r2_variables({name: f"{value}\n" for name, value in R2.items()}) == AT_R2


def test_secrets_are_not_shown():
    assert "s3cret" not in repr(from_r2_variables(R2))


@pytest.mark.parametrize("tail", ["", "/", "/digests", "/digests/"])
def test_the_bucket_that_a_dashboard_shows_behind_the_endpoint_is_no_part_of_it(tail):
    assert from_r2_variables({**R2, "R2_ENDPOINT": R2["R2_ENDPOINT"] + tail}) == AT_R2


@pytest.mark.parametrize(
    ("url", "name", "prefix"),
    [
        ("s3://digests", "digests", ""),
        ("s3://digests/", "digests", ""),
        ("s3://digests/uk/2026/", "digests", "uk/2026"),
    ],
)
def test_a_url_names_a_bucket_and_a_prefix_at_r2(url, name, prefix):
    access = {key: value for key, value in R2.items() if key != "R2_BUCKET"}
    expected = Bucket(
        name=name,
        prefix=prefix,
        endpoint=R2["R2_ENDPOINT"],
        access_key="access",
        secret_key=R2["R2_SECRET_KEY"],
        settings=Settings(bucket="--store"),
    )

    assert from_url(url, access) == expected
    assert from_url(url, R2) == expected


def test_with_part_of_what_r2_needs_the_rest_is_named():
    with pytest.raises(UsageError, match=r"^R2_ENDPOINT missing: set all three"):
        from_url("s3://digests", {"R2_ACCESS_KEY": "access", "R2_SECRET_KEY": "s3cret"})


def test_without_r2_the_variables_of_amazon_count():
    bucket = from_url("s3://digests/uk", {"AWS_REGION": "eu-west-2", "R2_BUCKET": "other"})

    assert (bucket.name, bucket.prefix, bucket.region) == ("digests", "uk", "eu-west-2")
    assert (bucket.endpoint, bucket.access_key, bucket.secret_key) == (None, None, None)
    assert bucket.settings.keys == "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"])
def test_another_server_than_amazons_can_be_named(name):
    assert from_url("s3://digests", {name: "http://minio:9000/"}).endpoint == "http://minio:9000"


@pytest.mark.parametrize(
    "endpoint",
    [
        *("account.r2.cloudflarestorage.com", "ftp://r2.example", "https://", "https:///digests"),
        *("https://r2.example/other", "https://r2.example?x=1", "https://r2.example:port"),
        *("https://user:s3cret@r2.example", "https://[r2.example", "https://r2.example#x"),
    ],
)
def test_an_endpoint_that_is_none_is_refused(endpoint):
    with pytest.raises(UsageError, match=r"^R2_ENDPOINT must be the URL of an S3") as refusal:
        from_r2_variables({**R2, "R2_ENDPOINT": endpoint})
    assert "s3cret" not in str(refusal.value)


def test_an_endpoint_may_be_an_address():
    bucket = from_r2_variables({**R2, "R2_ENDPOINT": "http://[::1]:9000"})

    assert bucket
    assert bucket.endpoint == "http://[::1]:9000"


@pytest.mark.parametrize("name", ["a", "..", "a..b", "a/b", "a?b", "-a", "a" * 300])
def test_a_bucket_whose_name_cannot_be_is_refused(name):
    with pytest.raises(UsageError, match=r"^R2_BUCKET: .* cannot be the name of a bucket"):
        from_r2_variables({**R2, "R2_BUCKET": name})


@pytest.mark.parametrize(
    "url", ["s3://", "s3:///prefix", "s3://digests/../other", "s3://digests/a//b"]
)
def test_a_url_of_no_bucket_is_refused(url):
    with pytest.raises(UsageError, match="--store"):
        from_url(url, R2)


@pytest.mark.parametrize("value", ["s3cret\nX-Header: 1", "s3 cret", "s3cr\u00e9t", "s3cret\udcff"])
@pytest.mark.parametrize("name", R2_VARIABLES)
def test_what_no_header_can_carry_is_refused_by_name(name, value):
    with pytest.raises(UsageError, match=f"^{name}: it is no printable ASCII") as refusal:
        from_r2_variables({**R2, name: value})
    assert "s3" not in str(refusal.value)


def test_port_0_is_no_other_one():
    bucket = from_r2_variables({**R2, "R2_ENDPOINT": "http://127.0.0.1:0"})

    assert bucket
    assert bucket.endpoint == "http://127.0.0.1:0"
