"""Open a bucket of a test's server as the commands do."""

from repomill.retry import Patience
from repomill.stores.bucket import Bucket
from repomill.stores.s3 import S3Store
from tests.s3.seaweedfs import SeaweedFS

CONNECTIONS = 8


def open_bucket(
    server: SeaweedFS, name: str, *, prefix: str = "", patience_seconds: float = 20
) -> S3Store:
    """Return the bucket *name* of *server* as a store."""
    bucket = Bucket(
        name=name,
        prefix=prefix,
        endpoint=server.endpoint,
        access_key=server.access_key,
        secret_key=server.secret_key,
    )
    return S3Store(bucket, Patience(patience_seconds), connections=CONNECTIONS)
