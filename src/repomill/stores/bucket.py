"""Which bucket the user means, and how it is reached."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from repomill.errors import BadKeyError, UsageError
from repomill.stores.base import check_key

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEME = "s3://"
ACCESS_VARIABLES = ("R2_ENDPOINT", "R2_ACCESS_KEY", "R2_SECRET_KEY")
R2_VARIABLES = ("R2_BUCKET", *ACCESS_VARIABLES)

_PRINTABLE = re.compile(r"[!-~]*")
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{1,254}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Settings:
    """The names of the settings that a bucket came from, for messages."""

    bucket: str = "R2_BUCKET"
    endpoint: str = "R2_ENDPOINT"
    keys: str = "R2_ACCESS_KEY and R2_SECRET_KEY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A bucket, and how it is reached."""

    name: str
    prefix: str = ""
    """What every key begins with, a slash between."""
    endpoint: str | None = None
    """None for Amazon's."""
    access_key: str | None = field(default=None, repr=False)
    """With None, boto3 looks where it always does: variables, files, the machine's role."""
    secret_key: str | None = field(default=None, repr=False)
    region: str | None = None
    """None for ``auto``, R2's only one, or with Amazon for what its own settings say."""
    settings: Settings = field(default_factory=Settings)


def from_r2_variables(environ: Mapping[str, str]) -> Bucket | None:
    """Return the bucket of the four variables for R2, or None where none is set.

    Raises UsageError naming those that are missing, or wrong.
    """
    found = _read(environ, R2_VARIABLES)
    return _at_r2(found["R2_BUCKET"], "", found, Settings()) if found else None


def from_url(url: str, environ: Mapping[str, str]) -> Bucket:
    """Return the bucket of ``s3://BUCKET[/PREFIX]``.

    It is where the variables for R2 say; without them, where the standard ones of Amazon say.
    Raises UsageError naming what is missing, or wrong.
    """
    name, _, prefix = url.removeprefix(SCHEME).partition("/")
    prefix = prefix.strip("/")
    try:
        check_key(prefix or "none")
    except BadKeyError as error:
        raise UsageError(f"--store: {error}") from None
    if access := _read(environ, ACCESS_VARIABLES):
        return _at_r2(name, prefix, access, Settings(bucket="--store"))
    return _at_amazon(name, prefix, environ)


def _at_r2(name: str, prefix: str, access: Mapping[str, str], settings: Settings) -> Bucket:
    return Bucket(
        name=_check_name(name, settings.bucket),
        prefix=prefix,
        endpoint=_check_endpoint(access["R2_ENDPOINT"], name, settings.endpoint),
        access_key=access["R2_ACCESS_KEY"],
        secret_key=access["R2_SECRET_KEY"],
        settings=settings,
    )


def _at_amazon(name: str, prefix: str, environ: Mapping[str, str]) -> Bucket:
    """Return a bucket of whose keys boto3 knows."""
    endpoint = environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL") or None
    return Bucket(
        name=_check_name(name, "--store"),
        prefix=prefix,
        endpoint=endpoint and _check_endpoint(endpoint, name, "AWS_ENDPOINT_URL_S3"),
        region=environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or None,
        settings=Settings(
            bucket="--store",
            endpoint="AWS_ENDPOINT_URL_S3, AWS_REGION",
            keys="AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        ),
    )


def _read(environ: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    """Return the values of the variables: all of them, or none where none is set."""
    # A secret that was read from a file often ends with its line.
    values = {name: environ.get(name, "").strip() for name in names}
    for name, value in values.items():
        if not _PRINTABLE.fullmatch(value):
            raise UsageError(f"{name}: it is no printable ASCII without spaces")
    missing = [name for name in names if not values[name]]
    if not missing:
        return values
    if len(missing) < len(names):
        number = {3: "three", 4: "four"}[len(names)]
        raise UsageError(f"{', '.join(missing)} missing: set all {number} R2 variables, or none")
    return {}


def _check_name(name: str, where: str) -> str:
    if not _NAME.fullmatch(name) or ".." in name:
        raise UsageError(f"{where}: {name!r} cannot be the name of a bucket")
    return name


def _check_endpoint(endpoint: str, bucket: str, where: str) -> str:
    """Return the URL of the server, without the bucket's name that dashboards show behind it."""
    advice = f"{where} must be the URL of an S3 server: https://HOST[:PORT]"
    try:
        url = urlsplit(endpoint)
        port = "" if url.port is None else f":{url.port}"
    except ValueError:
        raise UsageError(advice) from None
    plain = url.path.strip("/") in {"", bucket} and not (
        url.query or url.fragment or "@" in url.netloc
    )
    if url.scheme not in {"http", "https"} or not url.hostname or not plain:
        raise UsageError(advice)
    host = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
    return f"{url.scheme}://{host}{port}"
