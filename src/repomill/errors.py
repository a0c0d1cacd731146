"""Every error that repomill raises on purpose.

::

    RepomillError
    ├── UsageError              what the user asked for cannot be read; exit code 2
    ├── FeedError               the feed cannot be used; exit code 1
    ├── NoInventoryError        a metadata object does not tell the dependencies; exit code 1
    ├── MovedError              no failure: the repository is to be fetched from another host
    └── RepoError               costs one repository; the run goes on
        ├── AuthError           auth
        ├── BadKeyError         bad_key
        ├── BadUrlError         bad_url
        ├── BlockedError        blocked
        ├── CorruptError        corrupt
        ├── CrashedError        crashed
        ├── DeadlineError       timeout
        ├── DigestError         digest
        ├── EmptyError          empty (a status, not a failure, in a fleet)
        ├── NetworkError        network
        ├── NotFoundError       not_found
        ├── OutOfMemoryError    out_of_memory
        ├── RateLimitedError    rate_limited
        ├── StoreError          store
        │   └── StoreUnavailableError
        ├── TooLargeError       too_large
        └── UnsupportedError    unsupported

A message says what happened and what to do about it; it never holds a credential.
"""

from __future__ import annotations

from typing import ClassVar


class RepomillError(Exception):
    """The root of all errors of repomill."""


class UsageError(RepomillError):
    """A value given by the user cannot be used; the message names it."""


class FeedError(RepomillError):
    """The feed cannot be used, or not beyond what it gave already."""


class NoInventoryError(RepomillError):
    """A metadata object does not tell the dependencies of its repository, or not as it should."""


class MovedError(RepomillError):
    """The host sends us to another one, for which this process has no credentials."""

    def __init__(self, clone_url: str) -> None:
        super().__init__(f"moved to {clone_url}")
        self.clone_url = clone_url


class RepoError(RepomillError):
    """Costs one repository; the run goes on."""

    error_class: ClassVar[str]
    transient: ClassVar[bool] = False


class AuthError(RepoError):
    """The server wants credentials, or refused those it was given."""

    error_class = "auth"


class BadKeyError(RepoError):
    """The repository's key cannot be used in a store."""

    error_class = "bad_key"


class BadUrlError(RepoError):
    """The text is no URL of a repository."""

    error_class = "bad_url"


class BlockedError(RepoError):
    """Refused by law, by the host's operators or by our own network rules."""

    error_class = "blocked"


class CorruptError(RepoError):
    """The server or the repository sent data that is not valid."""

    error_class = "corrupt"
    transient = True


class CrashedError(RepoError):
    """A process that worked on the repository died."""

    error_class = "crashed"
    transient = True


class DeadlineError(RepoError):
    """The repository's own deadline passed."""

    error_class = "timeout"


class DigestError(RepoError):
    """The digest could not be made of what was fetched."""

    error_class = "digest"
    transient = True


class EmptyError(RepoError):
    """The repository holds no commit."""

    error_class = "empty"


class NetworkError(RepoError):
    """The host could not be reached, broke the connection or stalled."""

    error_class = "network"
    transient = True


class NotFoundError(RepoError):
    """There is no such repository, branch, tag or commit, or it is private."""

    error_class = "not_found"


class OutOfMemoryError(RepoError):
    """The repository needs more memory than there is."""

    error_class = "out_of_memory"


class RateLimitedError(RepoError):
    """The host asks for fewer requests.

    ``retry_after_seconds`` is what it asked for, or None where it named no time.
    """

    error_class = "rate_limited"
    transient = True

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class StoreError(RepoError):
    """A store did not take what it was given."""

    error_class = "store"


class StoreUnavailableError(StoreError):
    """A store cannot be reached, or is too busy: waited for, and tried again by itself."""


class TooLargeError(RepoError):
    """The repository is beyond what may be worked on."""

    error_class = "too_large"


class UnsupportedError(RepoError):
    """The repository uses something that cannot be read here."""

    error_class = "unsupported"


def by_class(error_class: str) -> type[RepoError]:
    """Return the class that carries *error_class*; CrashedError where there is none."""
    return next(
        (kind for kind in RepoError.__subclasses__() if kind.error_class == error_class),
        CrashedError,
    )
