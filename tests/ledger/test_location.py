"""Where the index is, unless it is named."""

import os
from pathlib import Path

import pytest

from repomill.ledger import default_path
from repomill.shards import Shard


def test_it_is_in_the_users_cache(tmp_path):
    path = default_path({"HOME": str(tmp_path)}, "s3://digests", None)

    assert path
    assert path.parent == tmp_path / ".cache" / "repomill"
    assert path.parent.is_dir()


def test_the_cache_may_be_elsewhere(tmp_path):
    path = default_path({"XDG_CACHE_HOME": str(tmp_path), "HOME": "/nowhere"}, "s3://digests", None)

    assert path
    assert path.parent == tmp_path / "repomill"


def test_each_store_and_shard_has_its_own(tmp_path):
    paths = {
        default_path({"HOME": str(tmp_path)}, store, shard)
        for store in ("s3://digests", "s3://other", "/folder/\udcff")
        for shard in (None, Shard(0, 2), Shard(1, 2), Shard(0, 3))
        for _ in range(2)
    }

    assert len(paths) == 12


@pytest.mark.parametrize("home", [None, "", "relative", "/proc/nothing"])
def test_without_a_home_there_is_none(home):
    environ = {"XDG_CACHE_HOME": "relative"} | ({"HOME": home} if home is not None else {})

    assert default_path(environ, "s3://digests", None) is None


def test_a_home_that_is_no_folder_is_none(tmp_path):
    (tmp_path / "file").touch()

    assert default_path({"HOME": str(tmp_path / "file")}, "s3://digests", None) is None


def test_a_cache_that_is_read_only_is_none(tmp_path, monkeypatch):
    (tmp_path / "repomill").mkdir(mode=0o500)
    # Tests may run as root, to whom every folder is open.
    monkeypatch.setattr(os, "access", lambda path, _mode: Path(path).stat().st_mode & 0o200 > 0)

    assert default_path({"XDG_CACHE_HOME": str(tmp_path)}, "s3://digests", None) is None
