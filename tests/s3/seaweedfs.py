"""A real S3 server, SeaweedFS from its Python package, in a process of its own."""

import json
import os
import random
import secrets
import signal
import socket
import subprocess
import sysconfig
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import TYPE_CHECKING, Self

import boto3
import botocore.exceptions
import trustme
from botocore.config import Config

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

WEED = Path(sysconfig.get_path("scripts"), "weed")
HOST = "127.0.0.1"

_SERVICES = ("master", "volume", "filer", "s3", "admin")
_TO_GRPC = 10_000
"""Each service listens for gRPC so many ports above its own."""
_FIRST_PORTS = range(20_000, 22_760, len(_SERVICES))
"""With those for gRPC below 32,768, where Linux begins to take ports for connections."""

_OWN_BUCKET = "ready"
_READY_SECONDS = 60
_BETWEEN_LOOKS_SECONDS = 0.05
_END_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Identity:
    """A pair of keys, and what its owner may do."""

    actions: tuple[str, ...]
    access_key: str = field(default_factory=lambda: f"access-{secrets.token_hex(8)}")
    secret_key: str = field(default_factory=lambda: f"secret-{secrets.token_hex(16)}")

    def entry(self) -> dict[str, object]:
        """Return it as SeaweedFS reads it."""
        keys = {"accessKey": self.access_key, "secretKey": self.secret_key}
        return {"name": self.access_key, "credentials": [keys], "actions": list(self.actions)}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """An object as its bucket has it."""

    body: bytes
    content_type: str
    metadata: Mapping[str, str]
    """As it travels: what is not ASCII is encoded."""


class SeaweedFS:
    """An S3 server on free ports of 127.0.0.1, until `close`, which as a context manager it calls.

    It can be killed and started again: ports, keys and objects stay. With *ca* it speaks https,
    under a certificate for 127.0.0.1 and localhost.
    """

    def __init__(self, *, ca: trustme.CA | None = None) -> None:
        self.writer = Identity(("Admin", "Read", "List", "Tagging", "Write"))
        self.reader = Identity(("Read", "List"))
        """May not write."""
        self._scheme = "https" if ca else "http"
        self._process: subprocess.Popen[bytes] | None = None
        with ExitStack() as resources:
            self._folder = Path(resources.enter_context(TemporaryDirectory(prefix="seaweedfs-")))
            self._first_port = resources.enter_context(_Claim()).first_port
            resources.callback(self._remove_sockets)
            self._arguments = [*self._options(), *self._identities(), *self._certificate(ca)]
            self.client = self._connect()
            """boto3's, for what has no method here."""
            resources.callback(self.client.close)
            resources.callback(self.kill)
            self.start()
            self._resources = resources.pop_all()

    @property
    def endpoint(self) -> str:
        """The URL of the S3 service."""
        return f"{self._scheme}://{HOST}:{self.port}"

    @property
    def port(self) -> int:
        """The port of the S3 service."""
        return self._first_port + _SERVICES.index("s3")

    @property
    def access_key(self) -> str:
        """The key id that may do everything."""
        return self.writer.access_key

    @property
    def secret_key(self) -> str:
        """The secret that belongs to `access_key`."""
        return self.writer.secret_key

    @property
    def log(self) -> str:
        """What the server has printed."""
        return (self._folder / "log").read_text(errors="replace")

    def variables(self, bucket: str) -> dict[str, str]:
        """Return the environment of a user who keeps digests in *bucket*."""
        return {
            "R2_BUCKET": bucket,
            "R2_ENDPOINT": self.endpoint,
            "R2_ACCESS_KEY": self.access_key,
            "R2_SECRET_KEY": self.secret_key,
        }

    def make_bucket(self, name: str) -> str:
        """Make the bucket, and return its name."""
        self.client.create_bucket(Bucket=name)
        return name

    def objects(self, bucket: str) -> dict[str, StoredObject]:
        """Return every object of *bucket*, by key."""
        return {key: self._object(bucket, key) for key in self.keys(bucket)}

    def keys(self, bucket: str) -> Iterator[str]:
        """Yield the key of every object in *bucket*."""
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for found in page.get("Contents", ()):
                yield found["Key"]

    def empty(self, bucket: str) -> None:
        """Remove every object of *bucket*."""
        for key in list(self.keys(bucket)):
            self.client.delete_object(Bucket=bucket, Key=key)

    def start(self) -> None:
        """Start it, for the first time or after `kill`; return once it stores objects.

        Raises TimeoutError, or RuntimeError where it ends instead.
        """
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [WEED, "mini", *self._arguments],
                cwd=self._folder,
                env={"PATH": os.environ["PATH"], "HOME": str(self._folder)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + _READY_SECONDS
        while not self._stores():
            if self._ended(within_seconds=_BETWEEN_LOOKS_SECONDS):
                raise RuntimeError(f"the server has ended: {self.log}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"the server does not answer: {self.log}")

    def kill(self) -> None:
        """End it without a warning, as a power cut does; twice is no error."""
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(_END_SECONDS)
            self._process = None

    def close(self) -> None:
        """End it and remove all it stored; once is enough."""
        self._resources.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _stores(self) -> bool:
        """Whether it takes an object; with our keys, so it is no other server."""
        try:
            self.client.put_object(Bucket=_OWN_BUCKET, Key="object", Body=b"bytes")
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
            return False
        return True

    def _ended(self, *, within_seconds: float) -> bool:
        assert self._process
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(within_seconds)
        return self._process.returncode is not None

    def _object(self, bucket: str, key: str) -> StoredObject:
        found = self.client.get_object(Bucket=bucket, Key=key)
        with found["Body"] as body:
            return StoredObject(
                body=body.read(), content_type=found["ContentType"], metadata=found["Metadata"]
            )

    def _options(self) -> list[str]:
        ports = [f"-{name}.port={port}" for port, name in enumerate(_SERVICES, self._first_port)]
        return [
            *(f"-dir={self._folder}", f"-ip={HOST}", f"-ip.bind={HOST}", *ports),
            *("-master.telemetry=false", "-admin.ui=false", "-webdav=false"),
            *("-s3.port.iceberg=0", "-s3.port.lance=0"),
            "-s3.autoCreateBucket=false",  # a missing bucket is an error everywhere else
            f"-bucket={_OWN_BUCKET}",
            *("-master.volumeSizeLimitMB=64", "-volume.max=1000"),  # each bucket has its own
        ]

    def _identities(self) -> list[str]:
        path = self._folder / "identities.json"
        path.write_text(json.dumps({"identities": [self.writer.entry(), self.reader.entry()]}))
        return [f"-s3.config={path}"]

    def _certificate(self, ca: trustme.CA | None) -> list[str]:
        if not ca:
            return []
        paths = {name: self._folder / f"{name}.pem" for name in ("ca", "key", "cert")}
        issued = ca.issue_cert(HOST, "localhost")
        ca.cert_pem.write_to_path(paths["ca"])
        issued.private_key_pem.write_to_path(paths["key"])
        issued.cert_chain_pems[0].write_to_path(paths["cert"])
        return [f"-s3.key.file={paths['key']}", f"-s3.cert.file={paths['cert']}"]

    def _connect(self) -> "S3Client":
        return boto3.session.Session().client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="auto",
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            verify=str(self._folder / "ca.pem") if self._scheme == "https" else None,
            config=Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=20),
        )

    def _remove_sockets(self) -> None:
        """Remove what it leaves in /tmp, under names that end in its ports."""
        for port in _ports(self._first_port):
            for path in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):  # noqa: S108 its choice
                path.unlink()


class _Claim:
    """Ports for one server, kept from others also while it is down."""

    def __enter__(self) -> Self:
        """Find them. Raises RuntimeError where all are taken."""
        for first_port in random.sample(_FIRST_PORTS, len(_FIRST_PORTS)):
            # A name that only one process can have, and that leaves with it.
            self._name = socket.socket(socket.AF_UNIX)
            with suppress(OSError):
                self._name.bind(f"\0repomill-seaweedfs-{first_port}")
                if all(map(_is_free, _ports(first_port))):
                    self.first_port = first_port
                    return self
            self._name.close()
        raise RuntimeError("no ports are free")

    def __exit__(self, *_: object) -> None:
        self._name.close()


def _ports(first: int) -> list[int]:
    own = range(first, first + len(_SERVICES))
    return [*own, *(port + _TO_GRPC for port in own)]


def _is_free(port: int) -> bool:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
        try:
            trial.bind((HOST, port))
        except OSError:
            return False
    return True
