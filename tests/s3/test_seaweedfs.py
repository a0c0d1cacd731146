"""The S3 server of the tests: as it is, killed, and started again."""

import pytest
import trustme

from tests.s3.seaweedfs import SeaweedFS


@pytest.fixture(params=["http", "https"])
def server(request):
    with SeaweedFS(ca=trustme.CA() if request.param == "https" else None) as server:
        yield server


def test_what_it_took_survives_its_death(server):
    server.make_bucket("digests")
    server.client.put_object(Bucket="digests", Key="a/b", Body=b"bytes", Metadata={"commit": "1"})
    before = server.objects("digests")

    server.kill()
    server.kill()
    server.start()

    assert server.objects("digests") == before
    assert before["a/b"].body == b"bytes"
    assert before["a/b"].metadata == {"commit": "1"}


def test_two_run_side_by_side(server):
    with SeaweedFS() as other:
        server.make_bucket("digests")

        assert other.port != server.port
        assert other.access_key != server.access_key
