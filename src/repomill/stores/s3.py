"""A store in a bucket: Cloudflare R2, Amazon S3, or any server that speaks S3.

Each object is written by one PutObject, which a server carries out whole or not at all. Nothing is
retried by boto3 itself: Patience is the one policy, so that one setting bounds every wait.
"""

from __future__ import annotations

import base64
import hashlib
import re
from contextlib import closing, contextmanager
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

import boto3
import botocore.exceptions
import botocore.parsers
import structlog
from botocore.config import Config

from repomill import __version__
from repomill.errors import StoreError, StoreUnavailableError, UsageError
from repomill.stores.base import UNKNOWN, Head, check_key, check_prefix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from types_boto3_s3 import S3Client

    from repomill.retry import Patience
    from repomill.stores.bucket import Bucket, Settings

_Answer = TypeVar("_Answer")

_CONNECT_SECONDS = 10
_READ_SECONDS = 60
_MAX_METADATA_BYTES = 2000
"""All names and values together. Amazon takes 2 KB, R2 8,192 bytes:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html"""
_CUT = "..."
_PLAIN = re.compile(r"(?!=\?)[!-~]+(?: [!-~]+)*")
"""What a header carries as it is. Empty ones are dropped by some servers."""

_CONFLICT = 409
_TRY_AGAIN = {408, _CONFLICT, 425, 429}
_SERVER_ERROR = 500
_BAD_REQUEST = 400
_NEVER = {501, 505}
"""Server errors that do not pass."""
_CREDENTIAL = re.compile(r"(?i)credential|access key")
"""R2 says so where a key is not of its form: InvalidArgument is all that its code says."""
_UNTRUSTED = re.compile(
    r"CERTIFICATE_VERIFY_FAILED|WRONG_VERSION_NUMBER|NO_CERTIFICATE|"
    r"invalid path|No such file|CA bundle"
)
_UNKNOWN_KEY = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken"}
_MISSING = frozenset({"404", "NoSuchKey"})
_EXISTS = frozenset({"412", "PreconditionFailed"})
# What arrived is not what was sent, or the server was too slow to take it.
_BROKEN_TRANSFER = {"BadDigest", "RequestTimeout", "IncompleteBody", "XAmzContentSHA256Mismatch"}

_log = structlog.get_logger()


class S3Store:
    """Objects in a bucket."""

    def __init__(self, bucket: Bucket, patience: Patience, *, connections: int = 10) -> None:
        """Make the client, for as many threads as *connections*; nothing is sent yet.

        Raises UsageError where boto3 cannot use the settings.
        """
        self._bucket = bucket
        self._patience = patience
        self._client = _connect(bucket, connections)

    @property
    def name(self) -> str:
        """What tells the store from all others, on this machine."""
        bucket = self._bucket
        return f"{bucket.endpoint or 'https://s3.amazonaws.com'}/{bucket.name}/{bucket.prefix}"

    def probe(self) -> None:
        """Write and remove a trial object. Raises StoreError naming the setting to look at."""
        key = f"_repomill/probe-{uuid4().hex}"
        self._put(key, b"", {"ContentType": UNKNOWN})
        try:
            self.delete(key)
        except StoreUnavailableError:
            raise
        except StoreError as error:  # rights to write alone are enough
            _log.warning("The trial object cannot be removed", key=key, error=str(error))

    def check(self, key: str) -> None:
        """Raise BadKeyError for a key that S3 does not take, the prefix included."""
        self._at(key)

    def put(self, key: str, body: bytes, *, content_type: str, metadata: Mapping[str, str]) -> None:
        """Write *body* whole or not at all; a later put replaces it.

        Metadata beyond what Amazon takes is cut, which three dots at its end tell.
        """
        facts = {"ContentType": content_type, "Metadata": encode_metadata(metadata)}
        self._put(key, body, facts)

    def refresh(self, key: str, *, content_type: str, metadata: Mapping[str, str]) -> bool:
        """Replace what is known of the object besides its bytes; return whether there is one."""
        where = self._at(key)

        def copy_onto_itself() -> object:
            return self._client.copy_object(
                **where,
                CopySource={"Bucket": where["Bucket"], "Key": where["Key"]},
                MetadataDirective="REPLACE",
                ContentType=content_type,
                Metadata=encode_metadata(metadata),
            )

        return self._ask(copy_onto_itself, unless=_MISSING) is not None

    def create(self, key: str, body: bytes, *, content_type: str) -> bool:
        """Write *body* whole, unless there is an object; return whether it was written.

        After a broken connection False can mean that this very call wrote it.
        """
        facts = {"ContentType": content_type, "IfNoneMatch": "*"}
        return self._put(key, body, facts, unless=_EXISTS)

    def get(self, key: str, *, most_bytes: int | None = None) -> bytes | None:
        """Return the object's bytes, the first *most_bytes* of them; None where there is none."""

        def read() -> bytes:
            with closing(self._client.get_object(**self._at(key))["Body"]) as body:
                return body.read(most_bytes)

        return self._ask(read, unless=_MISSING)

    def head(self, key: str) -> Head | None:
        """Return what is known of the object, or None where there is none."""
        found = self._ask(lambda: self._client.head_object(**self._at(key)), unless=_MISSING)
        if found is None:
            return None
        metadata = {name.lower(): _decode(value) for name, value in found["Metadata"].items()}
        return Head(found["ContentLength"], found.get("ContentType", UNKNOWN), metadata)

    def list(self, prefix: str) -> Iterator[str]:
        """Yield the keys that begin with *prefix*, in no order."""
        check_prefix(prefix)
        above = f"{self._bucket.prefix}/" if self._bucket.prefix else ""
        where: dict[str, Any] = {"Bucket": self._bucket.name, "Prefix": above + prefix}
        while page := self._ask(lambda: self._client.list_objects_v2(**where)):
            yield from (found["Key"].removeprefix(above) for found in page.get("Contents", ()))
            if not page.get("IsTruncated"):
                return
            where["ContinuationToken"] = page["NextContinuationToken"]

    def delete(self, key: str) -> None:
        """Remove the object, if there is one."""
        self._ask(lambda: self._client.delete_object(**self._at(key)), unless=_MISSING)

    def _put(
        self,
        key: str,
        body: bytes,
        facts: Mapping[str, Any],
        *,
        unless: frozenset[str] = frozenset(),
    ) -> bool:
        """Write *body*; return whether it was written, False for an error named in *unless*."""
        # The one integrity check that every S3 server knows, R2 included.
        md5 = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        where = self._at(key)

        def write() -> bool:
            answer = self._client.put_object(**where, Body=body, ContentMD5=md5, **facts)
            if "ETag" not in answer:  # anything can say 200
                raise self._no_store()
            return True

        return self._ask(write, unless=unless, size_bytes=len(body)) or False

    def _at(self, key: str) -> dict[str, Any]:
        check_key(key)
        whole = f"{self._bucket.prefix}/{key}" if self._bucket.prefix else key
        check_key(whole)
        return {"Bucket": self._bucket.name, "Key": whole}

    def _ask(
        self,
        request: Callable[[], _Answer],
        *,
        unless: frozenset[str] = frozenset(),
        size_bytes: int = 0,
    ) -> _Answer | None:
        """Return the answer, or None for an error named in *unless*. Raises StoreError."""

        def once() -> _Answer | None:
            with self._translated():
                try:
                    return request()
                except botocore.exceptions.ClientError as error:
                    if _code(error) in unless:
                        return None
                    raise

        store = f"{self._where} ({self._names.endpoint})"
        return self._patience.insist(once, size_bytes=size_bytes, store=store)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except botocore.exceptions.ClientError as error:
            raise self._refused(error) from error
        except (
            botocore.exceptions.NoCredentialsError,
            botocore.exceptions.PartialCredentialsError,
            botocore.exceptions.CredentialRetrievalError,
        ) as error:
            raise StoreError(f"there are no keys for the store; set {self._names.keys}") from error
        except botocore.exceptions.ParamValidationError as error:
            raise StoreError(
                f"the bucket's name {self._bucket.name!r} cannot be used; "
                f"check {self._names.bucket}"
            ) from error
        except (
            botocore.parsers.ResponseParserError,
            RecursionError,  # boto3 follows a redirect that names no region for ever,
            TypeError,  # and takes any XML for an error of S3's form
        ) as error:
            raise self._no_store() from error
        except botocore.exceptions.BotoCoreError as error:
            raise self._unreachable(error) from error

    def _refused(self, error: botocore.exceptions.ClientError) -> StoreError:
        """Return what an error that the server answered means."""
        status, code, names = _status(error), _code(error), self._names
        told = f"HTTP {status}, {code}"
        passing = status >= _SERVER_ERROR and status not in _NEVER
        if passing or status in _TRY_AGAIN or code in _BROKEN_TRANSFER:
            return StoreUnavailableError(f"{self._where} is in trouble ({told})")
        if code in {"NoSuchBucket", "InvalidBucketName"}:
            return StoreError(f"there is no bucket {self._bucket.name!r}; check {names.bucket}")
        if code == "RequestTimeTooSkewed":
            return StoreError(f"the clock of this machine is wrong ({told}); set it")
        if code in _UNKNOWN_KEY or (status == _BAD_REQUEST and _CREDENTIAL.search(_words(error))):
            return StoreError(f"the store does not know these keys ({told}); check {names.keys}")
        if status in {401, 403}:
            return StoreError(
                f"the store denies access to the bucket {self._bucket.name!r} ({told}); check "
                f"{names.bucket}, the rights of the key, {names.keys}"
            )
        return StoreError(
            f"{self._where} refused ({told}); check {names.endpoint}, {names.bucket}, {names.keys}"
        )

    def _unreachable(self, error: Exception) -> StoreError:
        check = f"check {self._names.endpoint}"
        if _UNTRUSTED.search(str(error)):
            return StoreError(
                f"there is no trusted connection to {self._where}; {check} and AWS_CA_BUNDLE"
            )
        return StoreUnavailableError(
            f"{self._where} cannot be reached ({type(error).__name__}); {check} and the network"
        )

    def _no_store(self) -> StoreError:
        """Return the error of an endpoint where something else than a store answers."""
        return StoreError(
            f"{self._where} does not answer as an S3 server; check {self._names.endpoint}"
        )

    @property
    def _where(self) -> str:
        return self._bucket.endpoint or "Amazon S3"

    @property
    def _names(self) -> Settings:
        return self._bucket.settings


def encode_metadata(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return *metadata* as headers carry it: cut where it is too long, RFC 2047 where need be.

    >>> encode_metadata({"commit": "06ae02d", "name": "Größe"})
    {'commit': '06ae02d', 'name': '=?utf-8?b?R3LDtsOfZQ==?='}
    """
    texts = dict(metadata)
    encoded = {name: _encode(text) for name, text in texts.items()}
    while (size := sum(len(n) + len(v) for n, v in encoded.items())) > _MAX_METADATA_BYTES:
        longest = max(encoded, key=lambda name: len(encoded[name]))
        if texts[longest] == _CUT:  # the names alone are too long: the store will say so
            break
        share = 1 - (size - _MAX_METADATA_BYTES) / len(encoded[longest])
        text = texts[longest].removesuffix(_CUT)
        texts[longest] = text[: max(0, min(int(len(text) * share), len(text)) - 4)] + _CUT
        encoded[longest] = _encode(texts[longest])
    return encoded


def _encode(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    return f"=?utf-8?b?{base64.b64encode(text.encode(errors='replace')).decode()}?="


def _decode(value: str) -> str:
    if not value.startswith("=?"):
        return value
    try:
        return str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, ValueError):  # another program's
        return value


def _connect(bucket: Bucket, connections: int) -> S3Client:
    config = Config(
        # What newer versions add by default, a checksum in a trailer, R2 refuses over https.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        retries={"mode": "standard", "total_max_attempts": 1},
        # Names of buckets are no names of hosts anywhere but at Amazon.
        s3={"addressing_style": "path" if bucket.endpoint else "auto"},
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        max_pool_connections=connections,
        user_agent_extra=f"repomill/{__version__}",
    )
    try:
        session = boto3.session.Session(
            aws_access_key_id=bucket.access_key,
            aws_secret_access_key=bucket.secret_key,
            region_name=bucket.region or ("auto" if bucket.endpoint else None),
        )
        region = session.region_name or "us-east-1"
        return session.client("s3", endpoint_url=bucket.endpoint, region_name=region, config=config)
    except (botocore.exceptions.BotoCoreError, ValueError) as error:
        named = bucket.settings.endpoint
        raise UsageError(f"{named}: the store's settings cannot be used ({error})") from error


def _status(error: botocore.exceptions.ClientError) -> int:
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


def _words(error: botocore.exceptions.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Message", ""))


def _code(error: botocore.exceptions.ClientError) -> str:
    """Return the server's name for the error; it is the server's text, so only what is a name."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    return code if re.fullmatch(r"\w{1,64}", code, re.ASCII) else "no reason given"
