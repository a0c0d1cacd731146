"""A store in a bucket: what it says of a bucket it cannot use, and what it waits for."""

import base64
import hashlib
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from repomill.errors import BadKeyError, StoreError, StoreUnavailableError
from repomill.retry import Patience
from repomill.stores.base import MAX_KEY_BYTES, TEXT, Head
from repomill.stores.bucket import Bucket
from repomill.stores.s3 import S3Store
from tests.s3.answering import Answer, AnsweringServer, error
from tests.s3.opening import CONNECTIONS, open_bucket
from tests.s3.relay import Relay
from tests.s3.seaweedfs import SeaweedFS

KEY = "gitingest/owner/name/summary.txt"
ACCESS = "canary-access-key"
SECRET = "canary-secret-key"  # noqa: S105 no server knows it
IMPATIENT = Patience(0)


def bucket_at(endpoint: str, name: str = "digests") -> Bucket:
    return Bucket(name=name, endpoint=endpoint, access_key=ACCESS, secret_key=SECRET)


def store_at(endpoint: str, *, patience_seconds: float = 0) -> S3Store:
    return S3Store(bucket_at(endpoint), Patience(patience_seconds))


def put(store: S3Store, body: bytes = b"a digest") -> None:
    store.put(KEY, body, content_type=TEXT, metadata={"commit": "1"})


def refusal(bucket: Bucket) -> str:
    """Return what the store says of a bucket that takes nothing; no secret is in it."""
    with pytest.raises(StoreError) as refused:
        S3Store(bucket, IMPATIENT).probe()
    said = f"{refused.value!r} {refused.value.__cause__!r}"
    assert bucket.secret_key
    assert bucket.access_key
    assert bucket.secret_key not in said
    assert bucket.access_key not in str(refused.value)
    return str(refused.value)


@pytest.fixture
def known(seaweedfs: SeaweedFS, bucket: str) -> Bucket:
    """A bucket that can be used, until something of it is replaced."""
    return Bucket(
        name=bucket,
        endpoint=seaweedfs.endpoint,
        access_key=seaweedfs.access_key,
        secret_key=seaweedfs.secret_key,
    )


def test_with_the_right_settings_it_can_be_used(known):
    S3Store(known, IMPATIENT).probe()


def test_a_bucket_that_is_missing_is_named(known):
    said = refusal(replace(known, name="missing"))

    assert "'missing'" in said
    assert "R2_BUCKET" in said


def test_a_key_id_that_is_unknown_is_told_so(known):
    assert "R2_ACCESS_KEY" in refusal(replace(known, access_key="canary"))


def test_a_secret_that_is_wrong_is_told_so(known):
    assert "R2_SECRET_KEY" in refusal(replace(known, secret_key="other"))  # noqa: S106


def test_keys_that_may_only_read_are_told_so(known, seaweedfs):
    reader = seaweedfs.reader
    said = refusal(replace(known, access_key=reader.access_key, secret_key=reader.secret_key))

    assert "denies" in said
    assert "R2_BUCKET, the rights of the key" in said


def test_an_endpoint_that_nobody_listens_at_is_told_so():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{taken.getsockname()[1]}"
        said = refusal(bucket_at(endpoint))

    assert said.startswith(f"{endpoint} cannot be reached")
    assert "R2_ENDPOINT" in said


def test_an_endpoint_that_has_no_address_is_told_so():
    said = refusal(bucket_at("http://no-such-host.invalid"))

    assert said.startswith("http://no-such-host.invalid cannot be reached")
    assert "R2_ENDPOINT" in said


@pytest.mark.parametrize("status", [200, 301, 302, 307, 400, 403, 404, 405, 412])
@pytest.mark.parametrize("body", [b"", b"<!doctype html><html><p>Welcome</html>"], ids=len)
def test_an_endpoint_that_is_another_server_is_told_so(status, body):
    answer = Answer(status=status, body=body, headers={"Content-Type": "text/html"})
    with AnsweringServer(finally_=answer) as server:
        said = refusal(bucket_at(server.endpoint))

    assert "R2_" in said or said.startswith(f"{server.endpoint} is in trouble")


def test_an_endpoint_in_trouble_is_named():
    with AnsweringServer(finally_=error(500, "InternalError")) as server:
        said = refusal(bucket_at(server.endpoint))

    assert said == f"{server.endpoint} is in trouble (HTTP 500, InternalError)"


def test_an_endpoint_that_speaks_no_tls_is_told_so():
    with AnsweringServer() as server:
        said = refusal(bucket_at(server.endpoint.replace("http:", "https:")))

    assert "R2_ENDPOINT" in said


def test_an_endpoint_that_speaks_only_tls_is_told_so(ca):
    with AnsweringServer(ca=ca) as server:
        said = refusal(bucket_at(server.endpoint.replace("https:", "http:")))

    assert "R2_ENDPOINT" in said


def test_a_certificate_that_is_not_trusted_is_told_so(ca):
    with AnsweringServer(ca=ca) as server:
        said = refusal(bucket_at(server.endpoint))

    assert said.startswith(f"there is no trusted connection to {server.endpoint}")
    assert "R2_ENDPOINT" in said
    assert server.received == []


def test_what_a_server_says_is_not_repeated():
    answer = error(403, "Access Denied: canary")
    with AnsweringServer(finally_=answer) as server:
        assert "canary" not in refusal(bucket_at(server.endpoint))


def test_a_bucket_that_is_gone_later_is_an_error_too(known, seaweedfs):
    store = S3Store(known, IMPATIENT)
    seaweedfs.client.delete_bucket(Bucket=known.name)

    with pytest.raises(StoreError, match="R2_BUCKET"):
        put(store)
    with pytest.raises(StoreError, match="R2_BUCKET"):
        list(store.list(""))
    with pytest.raises(StoreError, match="R2_BUCKET"):
        store.get(KEY)


@pytest.mark.parametrize(
    "passing",
    [
        error(503, "SlowDown"),
        error(429, "TooManyRequests"),
        error(500, "InternalError"),
        error(502, "BadGateway"),
        error(409, "OperationAborted"),
        error(400, "RequestTimeout"),
        error(400, "BadDigest"),
        Answer(status=503, body=b"<html>busy</html>"),
        Answer(drop_after_bytes=0),
    ],
    ids=lambda answer: f"{answer.status} {answer.body[-60:]!r}",
)
def test_what_may_pass_is_tried_again(passing):
    body = b"a digest" * 10_000
    with AnsweringServer([passing]) as server:
        put(store_at(server.endpoint, patience_seconds=20), body)

    assert [request.body for request in server.received] == [body] * 2


def test_it_is_tried_again_as_often_as_it_takes():
    with AnsweringServer([error(503, "SlowDown")] * 3) as server:
        put(store_at(server.endpoint, patience_seconds=20))

    assert [request.body for request in server.received] == [b"a digest"] * 4


def test_half_an_answer_is_asked_for_again():
    whole = Answer(body=b"a digest" * 1000)
    with AnsweringServer([replace(whole, drop_after_bytes=5000), whole]) as server:
        assert store_at(server.endpoint, patience_seconds=20).get(KEY) == whole.body


def test_what_does_not_pass_is_given_up_with_the_patience():
    with AnsweringServer(finally_=error(500, "InternalError")) as server:
        with pytest.raises(StoreUnavailableError, match="HTTP 500, InternalError"):
            put(store_at(server.endpoint, patience_seconds=1))

        assert len(server.received) > 1


def test_without_patience_nothing_is_tried_again():
    with AnsweringServer(finally_=error(503, "SlowDown")) as server:
        with pytest.raises(StoreUnavailableError):
            put(store_at(server.endpoint))

        assert len(server.received) == 1


def test_what_cannot_pass_is_not_tried_again():
    with AnsweringServer(finally_=error(403, "AccessDenied")) as server:
        with pytest.raises(StoreError):
            put(store_at(server.endpoint, patience_seconds=20))

        assert len(server.received) == 1


@pytest.mark.parametrize("status", [404, 412])
def test_what_was_refused_does_not_count_as_put(status):
    with AnsweringServer(finally_=Answer(status=status)) as server, pytest.raises(StoreError):
        put(store_at(server.endpoint))


def test_what_a_server_lost_is_not_taken_for_an_object_that_was_there():
    answer = error(404, "NoSuchKey")
    with AnsweringServer(finally_=answer) as server, pytest.raises(StoreError):
        store_at(server.endpoint).create(KEY, b"", content_type=TEXT)


def test_all_that_wait_for_the_store_say_so_once():
    trouble = [error(503, "SlowDown")] * 24
    with AnsweringServer(trouble) as server, ThreadPoolExecutor(CONNECTIONS) as threads:
        store = store_at(server.endpoint, patience_seconds=60)
        with capture_logs() as lines:
            list(threads.map(lambda _: put(store), range(CONNECTIONS)))

    said = [line["event"] for line in lines]
    assert said.count("Waiting for the store") <= said.count("The store answers again")
    assert len(server.received) == 24 + CONNECTIONS


def test_a_server_that_is_started_again_is_asked_again():
    with SeaweedFS() as server:
        store = open_bucket(server, server.make_bucket("digests"), patience_seconds=60)
        put(store)
        server.kill()
        with ThreadPoolExecutor() as threads:
            got, done = threads.submit(store.get, KEY), threads.submit(put, store, b"new")
            server.start()
            assert got.result() in {b"a digest", b"new"}
            done.result()

        assert store.get(KEY) == b"new"


def test_over_http_and_https_a_put_is_one_plain_request(ca, monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "ca.pem"))  # botocore reads it itself
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    for authority in (None, ca):
        with AnsweringServer(ca=authority) as server:
            put(store_at(server.endpoint))

        (request,) = server.received
        assert (request.method, request.path) == ("PUT", f"/digests/{KEY}")
        md5 = hashlib.md5(b"a digest", usedforsecurity=False).digest()
        assert request.values("content-md5") == [base64.b64encode(md5).decode()]
        assert request.values("content-length") == ["8"]
        assert request.values("content-type") == [TEXT]
        assert request.values("x-amz-meta-commit") == ["1"]
        assert request.values("transfer-encoding") == request.values("content-encoding") == []


@pytest.mark.parametrize("tls", [True, False], ids=["https", "http"])
def test_a_body_that_is_damaged_on_its_way_is_refused_and_sent_again(
    seaweedfs, bucket, ca, monkeypatch, tmp_path, tls
):
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "ca.pem"))  # botocore reads it itself
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    with Relay(seaweedfs.port, damage=b"digest", ca=ca if tls else None) as relay:
        keys = {"access_key": seaweedfs.access_key, "secret_key": seaweedfs.secret_key}
        here = Bucket(name=bucket, endpoint=relay.endpoint, **keys)
        with pytest.raises(StoreUnavailableError, match="HTTP 400"):
            put(S3Store(here, IMPATIENT))
        assert seaweedfs.objects(bucket) == {}

        relay.damage_once_more()
        put(S3Store(here, Patience(20)))

    assert seaweedfs.objects(bucket)[KEY].body == b"a digest"
    assert relay.damaged == 2


def test_thousands_of_keys_are_listed(seaweedfs, bucket):
    store = open_bucket(seaweedfs, bucket, prefix="above")
    keys = [f"gitingest/owner/name{number}/summary.txt" for number in range(1100)]
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        list(threads.map(lambda key: store.put(key, b"", content_type=TEXT, metadata={}), keys))

    assert sorted(store.list("gitingest/")) == sorted(keys)


def test_a_prefix_keeps_stores_apart(seaweedfs, bucket):
    whole, one, other = (open_bucket(seaweedfs, bucket, prefix=name) for name in ("", "a", "ab/c"))
    put(one, b"one")
    put(other, b"other")

    assert sorted(whole.list("")) == [f"a/{KEY}", f"ab/c/{KEY}"]
    assert list(one.list("")) == list(other.list("")) == [KEY]
    assert whole.get(KEY) is None
    assert whole.get(f"a/{KEY}") == one.get(KEY) == b"one"


def test_a_prefix_counts_towards_the_length_of_a_key(seaweedfs, bucket):
    key = "/".join(["x" * 127] * 8)
    assert len(key) == MAX_KEY_BYTES - 1
    open_bucket(seaweedfs, bucket).put(key, b"", content_type=TEXT, metadata={})

    with pytest.raises(BadKeyError, match=str(MAX_KEY_BYTES)):
        open_bucket(seaweedfs, bucket, prefix="ab").put(key, b"", content_type=TEXT, metadata={})


def test_metadata_travels_as_ascii(seaweedfs, bucket):
    store = open_bucket(seaweedfs, bucket)
    metadata = {
        "plain": "a b",
        "name": "Größe",
        "broken": "\udc80",
        "empty": "",
        "two": "a\r\nb: c",
    }
    store.put(KEY, b"", content_type=TEXT, metadata=metadata)

    stored = seaweedfs.objects(bucket)[KEY].metadata
    assert stored.keys() == metadata.keys()
    assert stored["plain"] == "a b"
    assert all(value.isascii() and value.isprintable() for value in stored.values())
    assert store.head(KEY) == Head(0, TEXT, {**metadata, "broken": "?"})


def test_metadata_that_another_program_wrote_is_left_as_it_is(seaweedfs, bucket):
    metadata = {
        "a": "=?no-such-charset?b?eA==?=",
        "b": "=?utf-8?b?x?=",
        "c": "=?",
        "d": "=?utf-8?q?=C3=A4?=",
    }
    seaweedfs.client.put_object(Bucket=bucket, Key=KEY, Metadata=metadata)

    head = open_bucket(seaweedfs, bucket).head(KEY)
    assert head
    assert head.metadata == {**metadata, "d": "ä"}


def test_what_is_sent_is_within_what_amazon_takes(seaweedfs, bucket):
    long = {f"name{number}": "ä\n" * 700 for number in range(5)}
    open_bucket(seaweedfs, bucket).put(KEY, b"", content_type=TEXT, metadata=long)

    stored = seaweedfs.objects(bucket)[KEY].metadata
    assert sum(len(name) + len(value) for name, value in stored.items()) <= 2000
    assert stored.keys() == long.keys()


def test_r2_s_words_for_a_key_of_another_form_lead_to_the_keys():
    said = "Credential access key has length 17, should be 32"
    body = f"<Error><Code>InvalidArgument</Code><Message>{said}</Message></Error>".encode()
    answer = Answer(status=400, body=body, headers={"Content-Type": "application/xml"})
    with AnsweringServer(finally_=answer) as server:
        assert "R2_ACCESS_KEY and R2_SECRET_KEY" in refusal(bucket_at(server.endpoint))


@pytest.mark.parametrize("status", [501, 505])
def test_what_a_server_will_never_do_is_not_waited_for(status):
    with (
        AnsweringServer(finally_=error(status, "NotImplemented")) as server,
        pytest.raises(StoreError, match="check R2_ENDPOINT"),
    ):
        put(store_at(server.endpoint, patience_seconds=60))

    assert len(server.received) == 1


def test_certificates_that_cannot_be_read_are_not_waited_for(monkeypatch, tmp_path, ca):
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    with AnsweringServer(ca=ca) as server, pytest.raises(StoreError, match="AWS_CA_BUNDLE"):
        put(store_at(server.endpoint, patience_seconds=60))


def test_a_server_that_never_answers_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        store = store_at(f"http://127.0.0.1:{silent.getsockname()[1]}")

        with pytest.raises(
            StoreUnavailableError, match=r"\(R2_ENDPOINT\) has not answered in 5.0 s"
        ):
            put(store)
