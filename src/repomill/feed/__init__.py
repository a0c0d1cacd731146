"""A feed: the list of repositories a run is about, whatever form it has.

::

    opened ──► unpack ──► json_array ──────────► entries ──► Entry or Problem
    path,      gzip,      lines: JSON lines,     Repo with
    URL, -     UTF-8      CSV, plain text        its facts

Everything is a stream: no feed, and nothing in one, is too large to be read.
"""

from repomill.feed.entries import Entry, Problem, ProblemKind
from repomill.feed.opening import DEFAULT_FEED, opened
from repomill.feed.reading import read

__all__ = ["DEFAULT_FEED", "Entry", "Problem", "ProblemKind", "opened", "read"]
