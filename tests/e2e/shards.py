"""Names of repositories that are in a shard, whatever the port of their host is."""

from collections.abc import Callable
from itertools import islice

from repomill.shards import Shard


def names_in(shard: Shard, url: Callable[[str], str], count: int = 3) -> list[str]:
    """Return *count* names of which *shard* holds the URL that *url* gives."""
    names = (f"name{number:03}" for number in range(200))
    return list(islice((name for name in names if shard.holds(url(name))), count))
