"""Fleets that are run over and over: their feeds, their stores, and what became of these."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from repomill.demo.githost import GitHost
from repomill.demo.repositories import write_repository
from repomill.keeping import digest_key
from repomill.ledger import parts
from repomill.ledger.parts import Part
from repomill.stores.base import Head, Store
from repomill.stores.local import LocalStore
from tests.e2e.command import Ended, facts
from tests.s3.opening import open_bucket
from tests.s3.recording import Recorder
from tests.s3.seaweedfs import SeaweedFS

PUSHED = "2026-11-01T00:00:00Z"
LATER = "2026-11-02T00:00:00Z"
OWN = "_repomill/"
FACTS = f"{OWN}objects/"
"""Where a folder keeps what is known of each object besides its bytes."""


class Fleet:
    """Repositories called ``owner/a``, ``owner/b``, … on a host."""

    def __init__(self, host: GitHost, root: Path, folder: Path) -> None:
        self.host = host
        self._root = root
        self._folder = folder

    def make(self, *names: str) -> None:
        """Make repositories."""
        for name in names:
            self.commit(name, name)

    def commit(self, name: str, text: str) -> str:
        """Commit to a repository, and return the commit's SHA."""
        return write_repository(self.path(name), {"README.md": f"# {text}\n".encode()})

    def path(self, name: str) -> Path:
        """Return where a repository is."""
        return self._root / "owner" / f"{name}.git"

    def url(self, name: str) -> str:
        """Return the address of a repository."""
        return self.host.url(f"owner/{name}")

    def feed(
        self,
        pushed: Mapping[str, str | None] | Iterable[str],
        *,
        said: Mapping[str, Mapping[str, str]] | None = None,
        cut: bool = False,
    ) -> Path:
        """Write a feed of names, each pushed to at the time given, and return its path.

        Without times no entry has one; what is *said* of a name is in its entry; *cut*, the feed
        ends in the middle of its last entry.
        """
        times = pushed if isinstance(pushed, Mapping) else dict.fromkeys(pushed)
        said = said or {}
        entries = [
            {
                "url": self.url(name),
                **({"pushedAt": time} if time else {}),
                **said.get(name, {}),
            }
            for name, time in times.items()
        ]
        text = json.dumps(entries)
        path = self._folder / "repos.json"
        path.write_text(text[:-10] if cut else text)
        return path

    def fetched(self) -> Counter[str]:
        """Return how many packs were fetched of each repository since the requests were cleared.

        Git posts twice for one: for the references, and for the pack.
        """
        posts = self._requests("git-upload-pack")
        return Counter({name: count // 2 for name, count in posts.items() if count > 1})

    def asked(self) -> Counter[str]:
        """Return how often the references of each repository were asked for."""
        return self._requests("info/refs")

    def _requests(self, part: str) -> Counter[str]:
        return Counter(
            request.repository.removeprefix("owner/")
            for request in self.host.requests
            if request.part == part
        )


class Shelf:
    """A store that tells what was done to it."""

    variables: Mapping[str, str]
    """Of a user who keeps digests here."""
    store: Store

    def deeds(self) -> list[tuple[str, str]]:
        """Return what was done to which key since the last call, keys in order.

        It is ``written``, ``refreshed`` or ``removed``.
        """
        raise NotImplementedError

    def deeds_outside(self) -> list[tuple[str, str]]:
        """Return the same of what is not repomill's own."""
        return [(deed, key) for deed, key in self.deeds() if not key.startswith(OWN)]

    def head(self, name: str) -> Head:
        """Return what is known of the digest of a repository."""
        found = self.store.head(digest_key(f"owner/{name}"))
        assert found
        return found

    def digests(self) -> dict[str, bytes]:
        """Return every digest by the name of its repository."""
        return {
            key.split("/")[2]: self.store.get(key) or b"" for key in self.store.list("gitingest/")
        }

    def state(self) -> dict[str, tuple[bytes, str, dict[str, str]]]:
        """Return all that is not repomill's own: key → bytes, content type and metadata.

        Of the metadata what changes from run to run is missing.
        """
        return {key: self._object(key) for key in self.store.list("") if not key.startswith(OWN)}

    def _object(self, key: str) -> tuple[bytes, str, dict[str, str]]:
        body, head = self.store.get(key), self.store.head(key)
        assert body is not None
        assert head
        said = {name: text for name, text in head.metadata.items() if name != "processedat"}
        return body, head.content_type, said

    def recorded(self) -> dict[str, str]:
        """Return what the parts of the ledger say: repository → its status."""
        found: dict[str, str] = {}
        for part in sorted(parts.names(self.store)):
            body = self.store.get(part)
            assert body
            for chunk in Part(part, body).chunks():
                found |= {row[0].removeprefix("owner/"): row[3] for row in chunk.rows}
        return found

    def lose_the_ledger(self) -> None:
        """Remove all that is repomill's own."""
        for key in list(self.store.list(OWN)):
            self.store.delete(key)


class Folder(Shelf):
    """A folder, of which every file is looked at."""

    def __init__(self, path: Path) -> None:
        self.store = LocalStore(path)
        self.variables = {"REPOMILL_STORE": str(path)}
        self._path = path
        self._seen: dict[str, tuple[int, int]] = {}

    def deeds(self) -> list[tuple[str, str]]:
        """See Shelf."""
        before, now = self._seen, self._look()
        self._seen = now
        changed = {name for name in before.keys() | now.keys() if before.get(name) != now.get(name)}
        found = {}
        for name in changed:
            key = name.removeprefix(FACTS).removesuffix(".json") if FACTS in name else name
            removed, written = key not in now, key in changed
            found[key] = "removed" if removed else "written" if written else "refreshed"
        return sorted((deed, key) for key, deed in found.items())

    def _look(self) -> dict[str, tuple[int, int]]:
        """Return the inode and the time of each file: one of them changes with every writing."""
        files = ((path, path.stat()) for path in self._path.rglob("*") if path.is_file())
        return {
            str(path.relative_to(self._path)): (status.st_ino, status.st_mtime_ns)
            for path, status in files
        }


class RecordedBucket(Shelf):
    """A bucket behind a server that takes down all requests."""

    def __init__(self, recorder: Recorder, server: SeaweedFS, bucket: str) -> None:
        self.store = open_bucket(server, bucket)
        self.variables = {**server.variables(bucket), "R2_ENDPOINT": recorder.endpoint}
        self._recorder = recorder

    def deeds(self) -> list[tuple[str, str]]:
        """See Shelf."""
        found = self._recorder.writes()
        self._recorder.clear()
        return sorted(found)


def told(ended: Ended, message: str) -> dict[str, Any]:
    """Return the facts of the one log line with this message."""
    (found,) = (f for line in ended.log if (f := facts(line))["message"] == message)
    return found


def decided(ended: Ended) -> dict[str, int]:
    """Return how many repositories were to be worked on, or not, for which reason."""
    found = told(ended, "Plan made")
    return {why: count for why, count in found.items() if why not in {"message", "level"}}


def outcomes(ended: Ended) -> dict[str, str]:
    """Return the status of each repository that was worked on: NAME → status."""
    ends = {"Summary generated", "Processing failed", "Repository is empty"}
    found = [f for line in ended.log if (f := facts(line))["message"] in ends]
    named = {f["repo_url"].rpartition("/")[2]: f.get("status", "failed") for f in found}
    assert len(named) == len(found), "one outcome each"
    return named
